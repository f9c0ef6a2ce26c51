"""Score images by the model beside this file, without vaead: python score.py IMAGE..., or --check.

Needs numpy, pillow and ai-edge-litert. Exit code 2 means that something cannot be read, 1 that --check finds
another score than golden.json holds.
"""

import argparse
import base64
import gzip
import io
import itertools
import json
import math
import pathlib
import sys
import zlib
from types import SimpleNamespace
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps


def read(file: Any, source: dict[str, Any]) -> Any:
    """Pixels (H, W) or (H, W, 3) from 0 to 1: upright, on white, in the model's colours and scale."""
    with Image.open(file, formats=("PNG", "JPEG", "BMP", "TIFF", "WEBP")) as opened:
        raw, deep, clear = str(opened.tile), opened.mode.startswith("I;16"), opened.has_transparency_data
        odd = clear or getattr(opened, "tag_v2", {}).get(262) == 0 if deep else ";16" in raw
        several = opened.format != "MPO" and getattr(opened, "is_animated", False)
        if odd or several or opened.mode in ("I", "F"):
            raise ValueError("it must be one picture of 8 bits, or of 16 in plain grey")
        image = ImageOps.exif_transpose(opened)
    if not deep:
        image = image.convert("RGBA" if clear else "L" if image.mode in ("1", "L") else "RGB")
    most = min(4095 if "I;12" in raw else 65535, 2 ** (source.get("bits") or 16) - 1) if deep else 255
    pixels = np.clip(np.atleast_3d(np.asarray(image, np.float32)) / np.float32(most), 0, 1)
    if clear:
        pixels = pixels[..., :3] * pixels[..., 3:] + (1 - pixels[..., 3:])
    channels, scale = list(np.moveaxis(pixels, 2, 0)), source.get("scale", 1)
    if source.get("color") != "rgb" and len(channels) == 3:
        red, green, blue = channels
        channels = [green + 0.299 * (red - green) + 0.114 * (blue - green)]
    if scale != 1:
        size = [max(1, round(length * scale)) for length in image.size]
        channels = [Image.fromarray(each).resize(size, Image.Resampling.LANCZOS) for each in channels]
    pixels = np.clip(np.stack([np.asarray(each) for each in channels], axis=2), 0, 1)
    return np.repeat(pixels, 3 // len(channels), axis=2) if source.get("color") == "rgb" else pixels[..., 0]


def left_out(region: dict[str, Any] | None, shape: tuple[int, int]) -> Any:
    """True on the pixels of an image of this shape that the model ignores; each takes the nearest drawn."""
    if region is None:
        return np.zeros(shape, np.bool_)
    bits = np.unpackbits(np.frombuffer(zlib.decompress(base64.b64decode(region["packed"])), np.uint8))
    drawn = region["height"], region["width"]
    steps = [(np.arange(new) + 0.5) * old / new for new, old in zip(shape, drawn, strict=True)]
    rows, columns = (np.minimum(at.astype(int), old - 1) for at, old in zip(steps, drawn, strict=True))
    return bits[: math.prod(drawn)].reshape(drawn).astype(np.bool_)[rows[:, None], columns]


def scan(image: Any, out: Any, network: SimpleNamespace, light: dict[str, float] | None) -> SimpleNamespace:
    """D, A, M and z of each window of an image, its features, and the error of each pixel in it."""
    grey = image if image.ndim == 2 else image.mean(axis=2, dtype=np.float32)
    found = [grey[~out].mean(dtype=np.float64), grey[~out].std(dtype=np.float64)]
    mean, spread = brightness = np.maximum(found, (1 / 255, 0.02)).astype(np.float32)
    if light:
        image = np.clip((image - mean) * (light["spread"] / spread) + light["mean"], 0, 1)
    size, last, batches = network.patch_size, np.array(grey.shape) - network.patch_size, []
    if last.min() < 0:
        raise ValueError(f"it must have at least {size}x{size} pixels after scaling")
    starts = ([*range(0, end, network.stride), end] for end in last.tolist())
    corners = np.array(list(itertools.product(*starts)))
    places = [np.s_[row : row + size, column : column + size] for row, column in corners]
    for part in np.array_split(np.arange(len(places)), len(places) // 256 + 1):
        windows = np.stack([image[places[number]] for number in part])
        given = {"patches": windows, "positions": (corners[part] / np.maximum(last, 1)).astype(np.float32)}
        batches.append(network.run(**{name: given[name] for name in network.run.get_input_details()}))
        batches[-1]["patches"] = windows.reshape(len(part), -1)
    made = SimpleNamespace(
        **{name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    )
    errors = (made.patches - made.mu) / np.sqrt(made.sigma2)
    d = -0.5 * (1 + made.z_log_var - np.square(made.z_mean) - np.exp(made.z_log_var)).sum(axis=1)
    a, m = (each.sum(axis=1) / 2 for each in (np.log(2 * math.pi * made.sigma2), np.square(errors)))
    logs = [np.log(np.maximum(term, 1e-3)) for term in (m, d)]
    features = np.column_stack([*logs, a, errors.sum(axis=1), made.z_mean])
    kept = np.array([2 * out[place].sum() <= size**2 for place in places])  # False where mostly left out
    more = {"z_mean": made.z_mean, "light": brightness, "places": places, "kept": kept, "out": out}
    return SimpleNamespace(d=d, a=a, m=m, errors=errors, features=features, **more)


def top_of_map(cells: Any, seen: SimpleNamespace, size: int, border: Any) -> float:
    """The largest thousandth of the map of windows or of their cells, smoothed, in units of normal pixels."""
    total, count = np.zeros((2, *seen.out.shape), np.float32)
    for place, each in itertools.compress(zip(seen.places, cells, strict=True), seen.kept):
        total[place] += np.kron(each, np.ones((size // len(each),) * 2))
        count[place] += 1
    seen_at = (count > 0) & ~seen.out
    radius, found = int(size / 4 + 0.5), np.maximum(total / np.maximum(count, 1), 0) * seen_at
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / (size / 16)) ** 2)
    for axis in (0, 1):
        padded = np.pad(found, [(radius * (axis == each),) * 2 for each in (0, 1)], "symmetric")
        found = np.apply_along_axis(np.convolve, axis, padded, kernel / kernel.sum(), "valid")
    rows, columns = (np.minimum(np.arange(side), np.arange(side)[::-1]) for side in found.shape)
    found = found / border[np.minimum(np.minimum.outer(rows, columns), len(border) - 1)]
    found = np.sort(found[seen_at])
    return float(found[-max(1, round(0.001 * found.size)) :].mean())


def calibrated(seen: SimpleNamespace, network: SimpleNamespace) -> float:
    """How surprising the kinds of evidence would be in a normal image: the mean over them."""
    normal, features, size, values = network.normal, seen.features, network.patch_size, []
    with_content = hasattr(normal, "content_centers")
    if with_content:  # cells against windows of like content
        nearness = seen.z_mean @ normal.content_centers.T - np.square(normal.content_centers).sum(axis=1) / 2
        group, side = nearness.argmax(axis=1), normal.content_median.shape[1]
        of_cells = seen.errors.reshape(len(group), side, size // side, side, size // side, -1)
        cells, signed = (each.sum(axis=(2, 4)) for each in (np.square(of_cells).sum(axis=-1) / 2, of_cells))
        above = np.log(np.maximum(cells, 1e-3)) - normal.content_median[group]
        colours = signed[seen.kept].mean(axis=(1, 2))
        hue = np.median(colours - colours.mean(axis=-1, keepdims=True), axis=0)
        shift = (signed - hue - normal.content_signed_median[group]) @ normal.content_whitening
        aside = np.linalg.norm(shift, axis=-1) / normal.content_signed_scale[group]
        far = np.square(np.maximum(above / normal.content_scale[group], aside))
        values.append(top_of_map(far, seen, size, normal.borders[0]))
    if hasattr(normal, "place_median"):  # windows against their place: shares of a Mahalanobis distance
        z = np.clip((features - normal.place_median) / normal.place_scale, -8, 8).ravel() - normal.place_mean
        z *= np.repeat(seen.kept, features.shape[1])
        gains = 1 / normal.place_explained_variance - 1 / normal.place_noise_variance
        along = (normal.place_components @ z * gains) @ normal.place_components
        shares = (z * (along + z / normal.place_noise_variance)).reshape(features.shape).mean(axis=1)
        last = (shares[:, None, None], seen, size, normal.borders[1]) if with_content else ()
        values.append(top_of_map(*last) if last else shares.mean())
    exact = features[seen.kept].astype(np.float64)
    terms = exact[:, :4]
    ends = np.quantile(terms, 0.99, axis=0), terms.max(axis=0), terms.min(axis=0)
    found = np.concatenate([exact.mean(axis=0), exact.std(axis=0), *ends, np.log(seen.light)])
    z = np.clip((found - normal.whole_center) / normal.whole_scale, -8, 8) - normal.whole_mean
    values.append(max(z @ normal.whole_precision @ z / len(z), 0))
    logs = np.log(np.maximum(np.array(values, np.float32), 1e-6))
    middle = normal.middle
    if with_content:  # against photos of the same kind
        content = seen.z_mean[seen.kept].mean(axis=0)
        kind = (normal.kinds @ content - np.square(normal.kinds).sum(axis=1) / 2).argmax()
        middle = middle[kind]
    z = ((logs - middle) / normal.spread).astype(np.float64)
    tails = [-math.log(math.erfc(x / 2**0.5) / 2) if x < 30 else x * x / 2 + math.log(x * 2.5066) for x in z]
    return float(np.average(tails, weights=None if with_content else (2, 1)) / math.log(2))


def load(folder: pathlib.Path) -> tuple[dict[str, Any], list[SimpleNamespace]]:
    """The card of a model, and its networks with what they know of normal images."""
    file, networks = json.loads((folder / "card.json").read_bytes()), []
    if file["format_version"] != 8:
        raise ValueError(f"format_version must be 8, got {file['format_version']!r}")
    for index, config in enumerate(file["card"]["recipe"]["networks"]):
        program = gzip.decompress((folder / f"network{index}.tflite.gz").read_bytes())
        run = Interpreter(model_content=program, num_threads=1).get_signature_runner("decode")
        arrays = np.load(folder / f"reference{index}.npz", allow_pickle=False).items()
        normal = {name.replace(".", "_"): array.astype(np.float32) for name, array in arrays}
        networks.append(SimpleNamespace(**config, run=run, normal=SimpleNamespace(**normal)))
    return file["card"], networks


def score(file: Any, card: dict[str, Any], networks: list[SimpleNamespace]) -> dict[str, float]:
    """old, new and, of an image that has the size of the model's images, calibrated."""
    image = read(file, card["recipe"]["source"])
    out = left_out(card["recipe"]["source"].get("ignored"), image.shape[:2])
    scans = [scan(image, out, network, card.get("light")) for network in networks]
    first, kept = scans[0], scans[0].kept
    found = {"old": (first.d + first.a + first.m)[kept].max(), "new": first.m[kept].max()}
    if card["image_shape"] in (None, list(image.shape[:2])):
        found["calibrated"] = np.mean([calibrated(*each) for each in zip(scans, networks, strict=True)])
    return {name: float(value) for name, value in found.items()}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Score images by the model beside this file.")
    parser.add_argument("images", nargs="*")
    parser.add_argument("--false-alarm-rate", type=float, default=0.05)
    parser.add_argument("--check", action="store_true", help="score the pictures in golden.json, and compare")
    options, folder, code = parser.parse_args(), pathlib.Path(__file__).resolve().parent, 0
    if not 0 < options.false_alarm_rate < 1 or bool(options.images) == options.check:
        parser.error("give images, or --check; and a false-alarm rate above 0 and below 1")
    try:
        card, networks = load(folder)
        golden = json.loads((folder / "golden.json").read_bytes())["pictures"] if options.check else []
        jobs = [(each["name"], io.BytesIO(base64.b64decode(each["png"])), each["scores"]) for each in golden]
    except Exception as error:  # damaged files make libraries raise many kinds
        parser.error(f"the model in {folder} cannot be read: {error}")
    levels = [*np.arange(200) / 200, 0.9975, 0.999, 1.0]  # of the quantiles in the card
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name, file, expected in [*jobs, *((name, name, {}) for name in options.images)]:
        try:
            scores = score(file, card, networks)
        except Exception as error:
            print(f"{name}: cannot be scored: {error}", file=sys.stderr)
            code = 2
            continue
        decides = "calibrated" if "calibrated" in scores else "new"
        limit = np.interp(1 - options.false_alarm_rate, levels, card["normal_scores"]["image"][decides])
        words = [f"{each} {value:.7g}" for each, value in scores.items()]
        print(name, *words, "flagged" if scores[decides] > limit else "normal", sep="\t")
        for each, value in expected.items():
            if not math.isclose(scores[each], value, rel_tol=1e-4):
                print(f"{name}: {each} must be {value:.7g}, got {scores[each]:.7g}")
                code = max(code, 1)
    return code


if __name__ == "__main__":
    sys.exit(main())
