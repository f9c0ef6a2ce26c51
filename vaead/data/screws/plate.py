"""A metal plate, brushed or cast, and the light that falls on it.

Lengths are in reference pixels, those of a picture of 640x480, whatever the size that is drawn; angles
are in radians, from the x axis (right) towards the y axis (down). All arithmetic is in float64, so that
rounding to grey levels gives the same pictures on every machine.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Field = NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 640, 480


@dataclass(frozen=True)
class Light:
    """Direction and strength of the light.

    Attributes:
        angle: Direction of the lamp, seen from the plate.
        height: Angle of the lamp above the plate.
        strength: 1 is usual.
        ramp: Share by which the plate is brighter 320 pixels nearer to the lamp.
    """

    angle: float
    height: float
    strength: float
    ramp: float

    def lambert(self, facing: Field, tilt: float) -> Field:
        """Light on a surface.

        Args:
            facing: Cosine between the lamp and the direction in which the surface leans, seen from above.
            tilt: Angle of the surface's normal against the vertical.

        Returns:
            Cosine of the angle between normal and lamp, 0 where the surface is turned away.
        """
        upright = np.cos(tilt) * np.sin(self.height)
        light: Field = np.maximum(upright + np.sin(tilt) * np.cos(self.height) * facing, 0)
        return light


def draw_plate(
    workshop: np.random.RandomState,
    random: np.random.RandomState,
    brushed: bool,
    x: Field,
    y: Field,
    light: Light,
    scale: float,
) -> Field:
    """Brightness (H, W) of the plate without its hole; for the sources of chance see `make_scene`."""
    dx, dy = x - WIDTH_PX / 2, y - HEIGHT_PX / 2
    lean = workshop.uniform(-0.35, 0.35) + random.uniform(-0.06, 0.06)
    along, across = dx * np.cos(lean) + dy * np.sin(lean), dy * np.cos(lean) - dx * np.sin(lean)
    spot_x, spot_y = (
        workshop.uniform(-260, 260) + random.uniform(-40, 40),
        workshop.uniform(-200, 200) + random.uniform(-40, 40),
    )
    base = workshop.uniform(140, 160) + random.uniform(-4, 4)
    if brushed:
        texture = _brushed(random, along, across, scale)
        # The lamp's reflection is drawn out across the direction of brushing.
        gloss = 0.24 * np.exp(-(((along - spot_x) / 170) ** 2) - ((across - spot_y) / 900) ** 2)
    else:
        texture = _cast(random, np.broadcast_shapes(x.shape, y.shape), light, scale)
        gloss = 0.13 * np.exp(-(((dx - spot_x) / 260) ** 2) - ((dy - spot_y) / 260) ** 2)
    slope = light.ramp * (dx * np.cos(light.angle) + dy * np.sin(light.angle)) / (WIDTH_PX / 2)
    vignette = 1 - 0.10 * (dx**2 + dy**2) / (WIDTH_PX / 2) ** 2
    grey: Field = base * light.strength * (1 + slope + gloss) * vignette * (1 + texture)
    return grey


def _brushed(random: np.random.RandomState, along: Field, across: Field, scale: float) -> Field:
    """Streaks, as shares of the brightness."""
    reach = round(820 * scale)
    streaks = np.zeros((reach, reach))
    for length, thickness, share in ((36, 1, 0.028), (170, 1, 0.034), (420, 4, 0.022)):
        streaks += share * _noise(random, (reach, reach), (thickness * scale, length * scale))
    points = [across * scale + reach / 2, along * scale + reach / 2]
    sampled: Field = ndimage.map_coordinates(streaks, points, order=1, mode="grid-wrap")
    return sampled


def _cast(random: np.random.RandomState, shape: tuple[int, ...], light: Light, scale: float) -> Field:
    """Bumps under the light and spots, as shares of the brightness."""
    size = (shape[0], shape[1])
    bumps = np.zeros(size)
    for bump, height in ((2, 0.8), (3, 1.0), (7, 0.9)):
        bumps += height * _noise(random, size, (bump * scale, bump * scale))
    slope = np.gradient(bumps, axis=1) * np.cos(light.angle) + np.gradient(bumps, axis=0) * np.sin(
        light.angle
    )
    spots = _noise(random, size, (2 * scale, 2 * scale))
    clouds = _noise(random, size, (50 * scale, 50 * scale))
    pits = np.maximum(_noise(random, size, (4 * scale, 4 * scale)) - 2.3, 0)
    texture: Field = -0.06 * slope / slope.std() + 0.045 * spots + 0.016 * clouds - 0.15 * pits
    return texture


def _noise(random: np.random.RandomState, shape: tuple[int, int], size: tuple[float, float]) -> Field:
    """Random grain of mean 0 and standard deviation 1, `size` pixels high and wide."""
    field = random.uniform(-1, 1, shape)
    for axis, length in enumerate(size):
        for _ in range(2 if length >= 2 else 0):
            field = ndimage.uniform_filter1d(field, round(length), axis=axis, mode="wrap")
    scaled: Field = (field - field.mean()) / field.std()
    return scaled
