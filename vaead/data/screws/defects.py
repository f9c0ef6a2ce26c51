"""Defects of a plate with a threaded hole. Each takes a scene and gives its brightness with the defect.

The random numbers that a defect draws do not depend on its severity or on the size of the picture: a
higher severity makes the same defect larger and stronger. Lengths are in reference pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from vaead.data.screws.plate import HEIGHT_PX, WIDTH_PX, Field
from vaead.data.screws.scene import CHAMFER_DEPTH_PX, PITCH_PX, RIM_PX, Scene, Window, ramp

_LATTICE = 32
_TAU = 2 * np.pi
_ON_PLATE = 0.8  # share of the scratches, stains and particles that lie clear of the hole


def _between(low: float, high: float, severity: float) -> float:
    return low + (high - low) * severity


@dataclass(frozen=True, eq=False)
class _Frame:
    """Coordinates around a defect.

    Attributes:
        window: Rows and columns.
        along: (h, w), coordinate in the defect's own direction.
        across: (h, w), coordinate at right angles to it.
        lamp: Components of the direction to the lamp, along and across.
    """

    window: Window
    along: Field
    across: Field
    lamp: tuple[float, float]


def _frame_at(scene: Scene, x: float, y: float, direction: float, reach: float) -> _Frame:
    window = scene.window(x, y, reach)
    dx, dy = scene.x[:, window[1]] - x, scene.y[window[0]] - y
    cos, sin = np.cos(direction), np.sin(direction)
    lamp = scene.light.angle - direction
    return _Frame(
        window, dx * cos + dy * sin, dy * cos - dx * sin, (float(np.cos(lamp)), float(np.sin(lamp)))
    )


def _spot(scene: Scene, random: np.random.RandomState) -> tuple[float, float]:
    """A point on the plate, mostly clear of the hole, else at the chamfer."""
    x = random.uniform(0.07, 0.93, 16) * WIDTH_PX
    y = random.uniform(0.08, 0.92, 16) * HEIGHT_PX
    clear_of_hole, angle, radius = random.uniform(), random.uniform(0, _TAU), random.uniform(0.9, 1.15)
    if clear_of_hole > _ON_PLATE:
        return (
            float(scene.centre[0] + radius * RIM_PX * np.cos(angle)),
            float(scene.centre[1] + radius * RIM_PX * np.sin(angle)),
        )
    # The farthest of them is clear of the hole should all others not be.
    distance = np.hypot(x - scene.centre[0], y - scene.centre[1])
    clear = distance > RIM_PX + 25
    chosen = int(np.argmax(clear)) if clear.any() else int(np.argmax(distance))
    return float(x[chosen]), float(y[chosen])


def _lattice(random: np.random.RandomState) -> Field:
    """Values for `_wave`; their number never depends on the size of a defect."""
    return random.uniform(-1, 1, (_LATTICE, _LATTICE))


def _wave(lattice: Field, u: Field, v: Field, order: int = 3) -> Field:
    """Noise, about -1 to 1, with a distance of 1 between grains: smooth, or with creases for order 1."""
    points = np.broadcast_arrays(u, v)
    sampled: Field = ndimage.map_coordinates(lattice, points, order=order, mode="grid-wrap")
    return sampled


def _put(scene: Scene, window: Window, grey: Field) -> Field:
    """The brightness of the scene (H, W), with that of a window replaced."""
    changed = scene.grey.copy()
    changed[window] = grey
    return changed


def _scratch(scene: Scene, random: np.random.RandomState, severity: float) -> Field:
    """A groove, one side of which is lit."""
    x, y = _spot(scene, random)
    direction, bend = random.uniform(0, _TAU), random.uniform(-0.0012, 0.0012)
    tone = 1 if random.uniform() < 0.5 else -1
    lattice = _lattice(random)
    length = _between(80, 230, severity)
    half_width = max(_between(1.0, 2.0, severity), 0.7 / scene.scale)
    frame = _frame_at(scene, x, y, direction, length / 2 + 25)
    off = frame.across - bend * frame.along**2 - 1.2 * _wave(lattice, frame.along / 19, np.zeros(1))
    pressure = np.sqrt(np.clip(1 - (2 * frame.along / length) ** 2, 0, 1))
    pressure = pressure * (0.8 + 0.35 * _wave(lattice, frame.along / 9, np.full(1, 7.5)))
    groove = np.exp(-((off / half_width) ** 2))
    side = np.sign(frame.lamp[1]) * 1.7 * half_width
    bank = np.exp(-(((off - side) / half_width) ** 2))
    change = tone * _between(45, 110, severity) * pressure * (groove - 0.45 * bank)
    return _put(scene, frame.window, scene.grey[frame.window] + change * scene.surface[frame.window])


def _blob(frame: _Frame, radii: tuple[float, float], lattice: Field, roughness: float) -> Field:
    """Distance from the middle of an irregular patch; 1 is its edge."""
    u, v = frame.along / radii[0], frame.across / radii[1]
    coarse = _wave(lattice, 1.4 * u + 5, 1.4 * v + 5)
    fine = _wave(lattice, 4 * u + 15, 4 * v + 15)
    return np.hypot(u, v) + roughness * (coarse + 0.4 * fine)


def _stain(scene: Scene, random: np.random.RandomState, severity: float) -> Field:
    """A dried drop: the metal shows through, and the edge is darkest."""
    x, y = _spot(scene, random)
    direction, aspect = random.uniform(0, _TAU), random.uniform(0.6, 1.0)
    lattice = _lattice(random)
    radius = _between(22, 62, severity)
    frame = _frame_at(scene, x, y, direction, 1.6 * radius)
    distance = _blob(frame, (radius, aspect * radius), lattice, 0.16)
    clouds = _wave(lattice, frame.along / 13, frame.across / 13)
    body = ramp((1 - distance) / 0.3) * (0.6 + 0.16 * clouds - 0.12 * ramp(1 - distance))
    edge = 0.3 * np.exp(-(((distance - 0.84) / 0.1) ** 2))
    cover = _between(0.3, 0.6, severity) * scene.surface[frame.window] * (body + edge)
    return _put(scene, frame.window, scene.grey[frame.window] * (1 - cover))


def _particle(scene: Scene, random: np.random.RandomState, severity: float) -> Field:
    """A grain that lies on the part and throws a shadow."""
    x, y = _spot(scene, random)
    direction, aspect = random.uniform(0, _TAU), random.uniform(0.55, 1.0)
    tone = 38 if random.uniform() < 0.65 else 222
    lattice = _lattice(random)
    radius = max(_between(6, 15, severity), 1.6 / scene.scale)
    frame = _frame_at(scene, x, y, direction, 3 * radius)
    radii = (radius, aspect * radius)
    distance = _blob(frame, radii, lattice, 0.2)
    offset = 0.55 * radius
    behind = _Frame(
        frame.window, frame.along + offset * frame.lamp[0], frame.across + offset * frame.lamp[1], frame.lamp
    )
    shadow = _between(0.3, 0.6, severity) * ramp((1.25 - _blob(behind, radii, lattice, 0.2)) / 0.5)
    grey = scene.grey[frame.window] * (1 - shadow * (0.3 + 0.7 * scene.surface[frame.window]))
    facing = (frame.along * frame.lamp[0] + frame.across * frame.lamp[1]) / radius
    facets = _wave(lattice, frame.along / 2.6, frame.across / 2.6)
    body = tone + 42 * facing + 14 * facets
    opacity = _between(0.75, 1, severity) * np.clip((1 - distance) * radius * scene.scale + 0.5, 0, 1)
    return _put(scene, frame.window, grey + opacity * (body - grey))


def _relief(frame: _Frame, lattice: Field, facet: float) -> Field:
    """Slope towards the lamp, about -1 to 1, of a fracture with facets of a given size."""
    u, v = frame.along / facet, frame.across / facet
    higher = _wave(lattice, u - 0.2 * frame.lamp[0], v - 0.2 * frame.lamp[1], order=1)
    return (_wave(lattice, u, v, order=1) - higher) / 0.2


def _chip(scene: Scene, random: np.random.RandomState, severity: float) -> Field:
    """A piece broken out of the rim: rough, with a lit and a shaded edge."""
    angle = random.uniform(0, _TAU)
    x, y = scene.centre[0] + RIM_PX * np.cos(angle), scene.centre[1] + RIM_PX * np.sin(angle)
    aspect = random.uniform(0.42, 0.6)
    lattice = _lattice(random)
    half_length = max(_between(13, 36, severity), 2.5 / scene.scale)
    radii = (half_length, aspect * half_length)
    frame = _frame_at(scene, float(x), float(y), angle + np.pi / 2, 1.8 * half_length)
    distance = _blob(frame, radii, lattice, 0.3)
    relief = _relief(frame, lattice, 0.5 * half_length) + 0.5 * _relief(frame, lattice, 0.2 * half_length)
    fine = _wave(lattice, frame.along / 1.8, frame.across / 1.8)
    facing = -(frame.along * frame.lamp[0] + frame.across * frame.lamp[1]) / half_length
    body = scene.light.strength * (74 + 48 * relief + 11 * fine + 52 * facing)
    lip = np.exp(-(((distance - 0.95) * radii[1] / 1.6) ** 2)) * 75 * np.maximum(facing + 0.3, 0)
    opacity = _between(0.75, 1, severity) * np.clip((1 - distance) * radii[1] * scene.scale + 0.5, 0, 1)
    grey = scene.grey[frame.window]
    return _put(
        scene, frame.window, grey + scene.surface[frame.window] * (opacity * (body - grey) + lip * opacity)
    )


def _broken_thread(scene: Scene, random: np.random.RandomState, severity: float) -> Field:
    """Crests torn off along an arc: the rings give way to rough metal."""
    middle = random.uniform(0, _TAU)
    first = CHAMFER_DEPTH_PX / PITCH_PX + random.uniform(0.9, 1.6)
    lattice = _lattice(random)
    half_arc = max(_between(0.25, 0.7, severity), 0.04 / scene.scale)
    half_turns = max(_between(0.8, 1.6, severity), 0.16 / scene.scale)
    off = (scene.angle - middle + np.pi) % _TAU - np.pi
    turns = scene.depth / PITCH_PX + off / _TAU - first
    ragged = 0.35 * _wave(lattice, 9 * off + 3, 1.5 * turns + 3)
    distance = (off / half_arc) ** 4 + (turns / half_turns) ** 4 + ragged
    opacity = _between(0.8, 1, severity) * ramp((1 - distance) / 0.35) * (1 - scene.surface[scene.hole])
    rough = 0.8 * _wave(lattice, 9 * off, 2.3 * turns, order=1) + 0.6 * _wave(lattice, 31 * off, 5 * turns)
    burr = np.exp(-(((distance - 0.85) / 0.16) ** 2))
    torn = np.maximum(rough + 0.25, 0)
    body = scene.wall_light * (0.42 + 0.26 * rough) + scene.light.strength * (85 + 60 * burr) * torn
    grey = scene.grey[scene.hole]
    return _put(scene, scene.hole, grey + opacity * (body - grey))


DRAW: dict[str, Callable[[Scene, np.random.RandomState, float], Field]] = {
    "scratch": _scratch,
    "chip": _chip,
    "stain": _stain,
    "broken_thread": _broken_thread,
    "particle": _particle,
}
"""What draws each kind of defect: of a scene, random numbers and a severity from 0 to 1."""
