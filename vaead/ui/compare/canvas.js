// A grey picture that can be painted on. `data` holds width, height, pixels (base64, a byte each), start (the picture
// before any change), base (its name: another one replaces what was painted), and the words of the tools.
const EVERY_MS = 200;
const MOST_UNDO = 50;

const encode = (pixels) => btoa(String.fromCharCode(...pixels));
const decode = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

class Pad {
  constructor(root) {
    this.canvas = root.querySelector("canvas");
    this.cursor = root.querySelector(".cursor");
    this.tools = root.querySelector(".tools");
    this.erases = false;
    this.radius = 1.5;
    this.at = [0, 0];
    this.undone = [];
    this.sentAt = 0;
    this.listen();
  }

  show(data, send) {
    this.send = send;
    if (this.words !== data.words.brush) this.build(data.words);
    if (this.base === data.base) return;
    [this.base, this.width, this.height] = [data.base, data.width, data.height];
    [this.pixels, this.start] = [decode(data.pixels), decode(data.start)];
    [this.canvas.width, this.canvas.height] = [this.width, this.height];
    this.at = [Math.floor(this.width / 2), Math.floor(this.height / 2)];
    this.undone = [];
    this.paint();
  }

  build(words) {
    this.words = words.brush;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", words.canvas);
    this.tools.replaceChildren();
    this.brush = this.button(words.brush, () => this.choose(false));
    this.eraser = this.button(words.eraser, () => this.choose(true));
    this.undo = this.button(words.undo, () => this.back());
    const label = document.createElement("label");
    const size = document.createElement("input");
    Object.assign(size, { type: "range", min: 0.5, max: 5, step: 0.5, value: this.radius });
    size.oninput = () => { this.radius = Number(size.value); };
    label.append(words.size, size);
    this.tools.append(label);
    const moves = [["←", words.left, 0, -1], ["↑", words.up, -1, 0], ["↓", words.down, 1, 0], ["→", words.right, 0, 1]];
    for (const [sign, name, down, right] of moves) this.button(sign, () => this.shift(down, right), name);
    this.button("↻", () => this.turn(), words.turn);
    this.button(words.blank, () => this.change(() => 0));
    this.button(words.noise, () => this.change(() => Math.floor(256 * Math.random())));
    this.button(words.reset, () => this.change((row, column) => this.start[row * this.width + column]));
    this.choose(this.erases);
  }

  button(text, onClick, name = text) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: text, title: name, onclick: onClick });
    button.setAttribute("aria-label", name);
    this.tools.append(button);
    return button;
  }

  choose(erases) {
    this.erases = erases;
    this.brush.setAttribute("aria-pressed", String(!erases));
    this.eraser.setAttribute("aria-pressed", String(erases));
  }

  listen() {
    const { canvas } = this;
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.keep();
      this.at = this.place(event);
      this.sentAt = Date.now();  // a short stroke is told once, at its end
      this.stroke([this.at]);
    };
    canvas.onpointermove = (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      const [from, to] = [this.at, this.place(event)];
      const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
      this.at = to;
      this.stroke(Array.from({ length: steps }, (_, step) =>
        [0, 1].map((axis) => from[axis] + (to[axis] - from[axis]) * (step + 1) / steps)));
    };
    canvas.onpointerup = canvas.onpointercancel = () => this.tell(true);
    canvas.onkeydown = (event) => this.key(event);
    canvas.onfocus = () => this.mark();
  }

  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in steps) {
      const [right, down] = steps[event.key];
      this.at = [
        Math.min(Math.max(Math.round(this.at[0]) + right, 0), this.width - 1),
        Math.min(Math.max(Math.round(this.at[1]) + down, 0), this.height - 1),
      ];
      this.mark();
    } else if (event.key === " " || event.key === "Enter") {
      this.keep();
      this.stroke([this.at]);
      this.tell(true);
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      this.back();
    } else {
      return;
    }
    event.preventDefault();
  }

  // Column and row under a finger, 0 being the middle of the first pixel.
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      (event.clientX - box.left) / box.width * this.width - 0.5,
      (event.clientY - box.top) / box.height * this.height - 0.5,
    ];
  }

  stroke(places) {
    for (const [x, y] of places) {
      for (let row = 0; row < this.height; row++) {
        for (let column = 0; column < this.width; column++) {
          const covered = Math.min(Math.max(this.radius + 0.5 - Math.hypot(column - x, row - y), 0), 1);
          const index = row * this.width + column;
          const before = this.pixels[index];
          this.pixels[index] = this.erases
            ? Math.min(before, 255 * (1 - covered))
            : Math.max(before, 255 * covered);
        }
      }
    }
    this.paint();
    this.tell(false);
  }

  // Another value for each pixel, from its row and column.
  change(valueAt) {
    this.keep();
    const before = this.pixels;
    this.pixels = Uint8Array.from(before, (_, index) =>
      valueAt(Math.floor(index / this.width), index % this.width, before));
    this.paint();
    this.tell(true);
  }

  shift(down, right) {
    this.change((row, column, before) => {
      const [y, x] = [row - down, column - right];
      return y < 0 || x < 0 || y >= this.height || x >= this.width ? 0 : before[y * this.width + x];
    });
  }

  // A quarter to the right, about the middle.
  turn() {
    const [middleY, middleX] = [(this.height - 1) / 2, (this.width - 1) / 2];
    this.change((row, column, before) => {
      const [y, x] = [Math.round(middleY - (column - middleX)), Math.round(middleX + (row - middleY))];
      return y < 0 || x < 0 || y >= this.height || x >= this.width ? 0 : before[y * this.width + x];
    });
  }

  keep() {
    this.undone = [...this.undone, this.pixels.slice()].slice(-MOST_UNDO);
  }

  back() {
    if (!this.undone.length) return;
    this.pixels = this.undone.pop();
    this.paint();
    this.tell(true);
  }

  paint() {
    const context = this.canvas.getContext("2d");
    const picture = context.createImageData(this.width, this.height);
    this.pixels.forEach((value, index) => picture.data.set([value, value, value, 255], 4 * index));
    context.putImageData(picture, 0, 0);
    this.undo.disabled = !this.undone.length;
  }

  mark() {
    const [side, top] = [100 / this.width, 100 / this.height];
    Object.assign(this.cursor.style, {
      left: `${side * Math.round(this.at[0])}%`, top: `${top * Math.round(this.at[1])}%`,
      width: `${side}%`, height: `${top}%`,
    });
  }

  // Now, or while a stroke goes on now and then.
  tell(now) {
    if (!now && Date.now() - this.sentAt < EVERY_MS) return;
    this.sentAt = Date.now();
    this.send(encode(this.pixels));
  }
}

const pads = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  if (!pads.has(parentElement)) pads.set(parentElement, new Pad(parentElement));
  pads.get(parentElement).show(data, (pixels) => setStateValue("pixels", pixels));
}
