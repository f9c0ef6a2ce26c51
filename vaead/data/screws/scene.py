"""A metal plate with a threaded hole, before a camera takes its picture. Units are those of `screw_plate`."""

from dataclasses import dataclass, replace

import numpy as np

from vaead.data.screws.plate import HEIGHT_PX, WIDTH_PX, Field, Light, draw_plate

Window = tuple[slice, slice]

RIM_PX = 128.0
"""Radius of the outer edge of the chamfer."""
PITCH_PX = 29.0
"""Depth from one turn of the thread to the next."""
CHAMFER_DEPTH_PX = 20.0

_BORE_PX = 112.0
_FLOOR_DEPTH_PX = 250.0
_CAMERA_PX = 235.0  # distance of the lens from the plate: so close that the wall of the hole is in view
_SEAT_PX = 38.0  # width of the ring around the hole that the heads of screws have polished
_LARGEST_SHIFT_PX = 0.03 * WIDTH_PX
_LAMP_SWING = 0.1  # radians by which the light's direction differs from plate to plate
_TAU = 2 * np.pi


@dataclass(frozen=True, eq=False)
class Scene:
    """A plate with a threaded hole.

    Attributes:
        grey: (H, W), brightness, 0 to 255 or beyond, before the camera.
        scale: Pixels of the picture a reference pixel.
        x: (1, W), centres of the columns.
        y: (H, 1), centres of the rows.
        centre: x and y of the hole's centre.
        light: Where the light comes from.
        surface: (H, W), 1 on the plate and the chamfer, 0 inside the hole.
        hole: Rows and columns around the hole; the next three cover these alone.
        depth: (h, w), of the wall of the hole below the plate.
        angle: (h, w), around the axis of the hole.
        wall_light: (h, w), brightness of a smooth wall, as if there were no surface and no floor.
    """

    grey: Field
    scale: float
    x: Field
    y: Field
    centre: tuple[float, float]
    light: Light
    surface: Field
    hole: Window
    depth: Field
    angle: Field
    wall_light: Field

    def window(self, x: float, y: float, reach: float) -> Window:
        """Rows and columns that lie within `reach` of a point."""
        rows = np.clip(np.array([y - reach, y + reach]) * self.scale, 0, self.grey.shape[0]).astype(int)
        columns = np.clip(np.array([x - reach, x + reach]) * self.scale, 0, self.grey.shape[1]).astype(int)
        return slice(rows[0], rows[1] + 1), slice(columns[0], columns[1] + 1)


def make_scene(workshop: np.random.RandomState, random: np.random.RandomState, scale: float) -> Scene:
    """Draw a plate with a threaded hole.

    Args:
        workshop: Source of what all plates of a set share, as one part from one line under one lamp does: the
            finish, the lamp, the shape of the chamfer, where the thread starts.
        random: Source of what differs from plate to plate: small changes of position, rotation and light, the
            grain of the metal, the marks of the tools.
        scale: Pixels of the picture a reference pixel.

    Returns:
        The scene, of round(480 scale) rows and round(640 scale) columns.
    """
    light = Light(
        angle=workshop.uniform(0, _TAU) + random.uniform(-_LAMP_SWING, _LAMP_SWING),
        height=workshop.uniform(0.78, 0.92) + random.uniform(-0.03, 0.03),
        strength=random.uniform(0.88, 1.12),
        ramp=workshop.uniform(0.08, 0.2) + random.uniform(-0.04, 0.04),
    )
    reach, direction = _LARGEST_SHIFT_PX * np.sqrt(random.uniform()), random.uniform(0, _TAU)
    centre = (
        float(WIDTH_PX / 2 + reach * np.cos(direction)),
        float(HEIGHT_PX / 2 + reach * np.sin(direction)),
    )
    x = (np.arange(round(WIDTH_PX * scale), dtype=np.float64)[None, :] + 0.5) / scale
    y = (np.arange(round(HEIGHT_PX * scale), dtype=np.float64)[:, None] + 0.5) / scale
    brushed = bool(workshop.uniform() < 0.5)
    grey = draw_plate(workshop, random, brushed, x, y, light, scale)
    surface = np.ones_like(grey)
    empty = np.zeros((0, 0))
    plate = Scene(grey, scale, x, y, centre, light, surface, (slice(0), slice(0)), empty, empty, empty)
    return _with_hole(workshop, random, plate)


def ramp(value: Field) -> Field:
    """0 below 0, 1 above 1, and a smooth step between them."""
    clipped = np.clip(value, 0, 1)
    return clipped * clipped * (3 - 2 * clipped)


def _coverage(distance: Field, scale: float) -> Field:
    """Share of a pixel that lies inside an edge, from the distance to it (positive inside)."""
    return np.clip(distance * scale + 0.5, 0, 1)


def _with_hole(workshop: np.random.RandomState, random: np.random.RandomState, plate: Scene) -> Scene:
    """Drill, chamfer and thread the hole."""
    light, scale, (centre_x, centre_y) = plate.light, plate.scale, plate.centre
    window = plate.window(centre_x, centre_y, RIM_PX + _SEAT_PX + 4)
    dx, dy = plate.x[:, window[1]] - centre_x, plate.y[window[0]] - centre_y
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    depth, wall_angle, nearness = _wall_points(plate, window)
    nearness_of_mouth = _CAMERA_PX / (_CAMERA_PX + CHAMFER_DEPTH_PX)
    inside = (nearness_of_mouth - nearness) * _BORE_PX
    surface = 1 - _coverage(inside, scale)
    # 0 at the rim, 1 at the mouth of the thread; both circles are sharp though not concentric.
    to_rim, to_mouth = RIM_PX - radius, np.maximum(-inside, 0)
    share = np.clip(to_rim / np.maximum(to_rim + to_mouth, 1e-6), 0, 1)

    grey = plate.grey[window] * (1 + _seat(random, radius))
    chamfer = _chamfer(workshop, random, share, angle, light)
    on_chamfer = _coverage(to_rim, scale)
    grey = grey + on_chamfer * (chamfer - grey)
    away = -np.cos(angle - light.angle)
    grey = grey + (34 * away + 14) * light.strength * np.exp(-(((radius - RIM_PX + 0.5) / 1.5) ** 2))

    wall_light = _wall_light(depth, wall_angle, light)
    floor = _coverage((_CAMERA_PX / (_CAMERA_PX + _FLOOR_DEPTH_PX) - nearness) * _BORE_PX, scale)
    thread = _thread(workshop, random, depth, wall_angle, nearness, plate) * wall_light
    # The tip of the drill left a cone, which mirrors a little light as a fan.
    fan = np.exp(5 * (np.cos(wall_angle - light.angle) - 1)) + 0.6 * np.exp(8 * (np.cos(wall_angle + 2) - 1))
    bottom = 14 + 62 * nearness * (0.25 + fan * nearness / 0.48)
    hole = thread + floor * (bottom - thread)
    grey = hole + surface * (grey - hole)

    plate.grey[window] = grey
    plate.surface[window] = surface
    return replace(plate, hole=window, depth=depth, angle=wall_angle, wall_light=wall_light)


def _wall_points(plate: Scene, window: Window) -> tuple[Field, Field, Field]:
    """The point of the wall that each pixel shows.

    The lens looks straight down at the middle of the picture. A circle of the wall at depth z looks
    smaller by the factor s = camera / (camera + z) and moves towards the middle by the same factor, so
    that |q - a s| = bore s for a pixel q, with the hole's centre a, both seen from the middle.

    Returns:
        Depth, angle around the axis of the hole, and s; each (h, w).
    """
    x, y = plate.x[:, window[1]] - WIDTH_PX / 2, plate.y[window[0]] - HEIGHT_PX / 2
    a_x, a_y = plate.centre[0] - WIDTH_PX / 2, plate.centre[1] - HEIGHT_PX / 2
    product, size = x * a_x + y * a_y, _BORE_PX**2 - a_x**2 - a_y**2
    nearness = (np.sqrt(product**2 + size * (x**2 + y**2)) - product) / size
    nearness = np.maximum(nearness, 0.02)  # the vanishing point lies below the floor
    return _CAMERA_PX * (1 / nearness - 1), np.arctan2(y - a_y * nearness, x - a_x * nearness), nearness


def _seat(random: np.random.RandomState, radius: Field) -> Field:
    """Fine rings around the hole, as shares of the brightness."""
    rings = random.uniform(-1, 1, 64) * random.uniform(0.01, 0.035)
    beyond = (radius - RIM_PX) / _SEAT_PX
    shine = random.uniform(0.0, 0.05)
    return (np.interp(beyond * 63, np.arange(64), rings) + shine) * ramp((1 - beyond) * 3)


def _chamfer(
    workshop: np.random.RandomState,
    random: np.random.RandomState,
    share: Field,
    angle: Field,
    light: Light,
) -> Field:
    """Brightness of the cone between the rim and the mouth of the thread."""
    rings = np.interp(share * 23, np.arange(24), random.uniform(-1, 1, 24))
    away = -np.cos(angle - light.angle)
    narrow = workshop.uniform(7, 16)  # turned metal mirrors the lamp as a narrow fan, on both sides
    gleam = 105 * np.exp(narrow * (away - 1)) + 38 * np.exp(narrow * (-away - 1))
    second = workshop.uniform(0, _TAU) + random.uniform(-0.1, 0.1)
    gleam = gleam + workshop.uniform(10, 45) * np.exp(14 * (np.cos(angle - second) - 1))
    matt = 40 + 120 * light.lambert(away, np.pi / 4)
    lip = 40 * np.exp(-(((share - 0.97) / 0.06) ** 2)) * (0.6 + 0.4 * away)
    grey: Field = light.strength * ((matt + gleam) * (1 + 0.07 * rings) * (1 - 0.15 * share) + lip)
    return grey


def _wall_light(depth: Field, angle: Field, light: Light) -> Field:
    """Brightness of the upper flanks of the thread: light from the lamp and from all around."""
    away = -np.cos(angle - light.angle)
    lit_depth = 2 * _BORE_PX * np.maximum(away, 0) * np.tan(light.height)
    sunlit = ramp((lit_depth - depth) / 50 + 0.5)
    ambient = np.exp(-(depth - CHAMFER_DEPTH_PX) / 105)
    gleam = np.exp(9 * (away - 1)) * np.exp(-depth / 160)
    direct = light.lambert(away, np.pi / 6) * sunlit * np.exp(-depth / 260)
    grey: Field = light.strength * (92 * ambient + 118 * direct + 60 * gleam) + 9
    return grey


def _thread(
    workshop: np.random.RandomState,
    random: np.random.RandomState,
    depth: Field,
    angle: Field,
    nearness: Field,
    plate: Scene,
) -> Field:
    """Share of the light that the flanks of a right-handed thread send up.

    Each turn hides the roots of the next one: going down, a dark gap follows every bright crest.
    """
    turn = depth / PITCH_PX + angle / _TAU + workshop.uniform() + random.uniform(-0.03, 0.03)
    number = np.floor(turn)
    phase = turn - number
    width_px = PITCH_PX * _BORE_PX * nearness**2 / _CAMERA_PX * plate.scale
    edge = ramp(phase * width_px / 1.5)
    crest = np.exp(-(((phase - 0.9) / 0.07) ** 2))
    flank = 0.14 + 0.6 * phase**1.3 + 0.75 * crest
    flank = 0.85 + edge * (flank - 0.85)
    # Chatter of the tap, along the ridge, which goes on from turn to turn.
    ridge = (angle / _TAU - number) * 96
    chatter = np.interp(ridge, np.arange(24 * 96), random.uniform(-1, 1, 24 * 96), period=24 * 96)
    return flank * (1 + 0.13 * chatter)
