// Boxes on a picture: drawn, moved, made larger by their corner, removed. A box is [left, top, right, bottom], each a
// share of the width or the height of the picture. `data` holds picture (a URL), base (its name: another one replaces
// the boxes), boxes, and the words of the tools.
const SMALLEST = 0.02;
const STEP = 0.01;
const MOST = 20;

const limit = (value, low, high) => Math.min(Math.max(value, low), high);

class Board {
  constructor(root) {
    this.board = root.querySelector(".board");
    this.picture = root.querySelector("img");
    this.layer = root.querySelector(".layer");
    this.tools = root.querySelector(".tools");
    this.boxes = [];
    this.listen();
  }

  show(data, send) {
    this.send = send;
    if (this.words !== data.words.remove) this.build(data.words);
    if (this.base === data.base) return;
    this.base = data.base;
    this.picture.src = data.picture;
    this.boxes = data.boxes.map((box) => [...box]);
    this.chosen = this.boxes.length - 1;
    this.draw();
  }

  build(words) {
    this.words = words.remove;
    this.board.setAttribute("role", "application");
    this.board.setAttribute("aria-label", words.board);
    this.tools.replaceChildren();
    this.add = this.button(words.add, () => this.put());
    this.remove = this.button(words.remove, () => this.drop());
    this.clear = this.button(words.clear, () => { this.boxes = []; this.end(); });
    this.draw();
  }

  button(text, onClick) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: text, onclick: onClick });
    this.tools.append(button);
    return button;
  }

  listen() {
    const { board } = this;
    board.onpointerdown = (event) => {
      const place = this.place(event);
      const number = event.target.closest(".box")?.dataset.number;
      if (number === undefined && this.boxes.length >= MOST) return;
      if (number === undefined) this.boxes.push([...place, ...place]);
      this.chosen = number === undefined ? this.boxes.length - 1 : Number(number);
      const sizes = number === undefined || event.target.classList.contains("grip");
      this.drag = { place, sizes, before: [...this.boxes[this.chosen]] };
      board.setPointerCapture(event.pointerId);
      this.draw();
    };
    board.onpointermove = (event) => {
      if (!this.drag) return;
      const [x, y] = this.place(event);
      const [left, top] = this.drag.before;
      if (this.drag.sizes) {
        this.boxes[this.chosen] = [Math.min(left, x), Math.min(top, y), Math.max(left, x), Math.max(top, y)];
      } else {
        this.boxes[this.chosen] = this.moved(this.drag.before, x - this.drag.place[0], y - this.drag.place[1]);
      }
      this.draw();
    };
    board.onpointerup = board.onpointercancel = () => {
      if (this.drag) this.end();
    };
    board.onkeydown = (event) => this.key(event);
  }

  key(event) {
    const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.key === "Enter") {
      this.put();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.drop();
    } else if (event.key in steps && this.boxes[this.chosen]) {
      const box = this.boxes[this.chosen];
      const [right, down] = steps[event.key];
      this.boxes[this.chosen] = event.shiftKey
        ? [box[0], box[1], limit(box[2] + right, box[0] + SMALLEST, 1), limit(box[3] + down, box[1] + SMALLEST, 1)]
        : this.moved(box, right, down);
      this.end();
    } else {
      return;
    }
    event.preventDefault();
  }

  moved([left, top, right, bottom], x, y) {
    const [over, down] = [limit(x, -left, 1 - right), limit(y, -top, 1 - bottom)];
    return [left + over, top + down, right + over, bottom + down];
  }

  put() {
    if (this.boxes.length >= MOST) return;
    this.boxes.push([0.4, 0.4, 0.6, 0.6]);
    this.chosen = this.boxes.length - 1;
    this.end();
  }

  drop() {
    if (!this.boxes[this.chosen]) return;
    this.boxes.splice(this.chosen, 1);
    this.chosen = this.boxes.length - 1;
    this.end();
  }

  // A change is over: boxes that are hardly more than a click are dropped, and the others told.
  end() {
    this.drag = null;
    this.boxes = this.boxes.filter(([left, top, right, bottom]) => right - left >= SMALLEST && bottom - top >= SMALLEST);
    this.chosen = Math.min(this.chosen, this.boxes.length - 1);
    this.draw();
    this.send(this.boxes);
  }

  draw() {
    this.layer.replaceChildren(...this.boxes.map(([left, top, right, bottom], number) => {
      const box = document.createElement("div");
      box.className = number === this.chosen ? "box chosen" : "box";
      box.dataset.number = number;
      Object.assign(box.style, {
        left: `${100 * left}%`, top: `${100 * top}%`,
        width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%`,
      });
      const grip = document.createElement("div");
      grip.className = "grip";
      box.append(grip);
      return box;
    }));
    if (!this.remove) return;
    this.remove.disabled = this.clear.disabled = !this.boxes.length;
    this.add.disabled = this.boxes.length >= MOST;
  }

  place(event) {
    const box = this.board.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((at) => limit(at, 0, 1));
  }
}

const boards = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  if (!boards.has(parentElement)) boards.set(parentElement, new Board(parentElement));
  boards.get(parentElement).show(data, (boxes) => setStateValue("boxes", boxes));
}
