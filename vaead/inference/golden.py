"""Golden scores: three pictures and what a model makes of them, so that another machine can prove the same.

The pictures follow from formulas and the size that the model needs, so nothing of anybody's photos is in
them. They are scored as photos are, from the bytes of a file on. `golden.json` holds them, and `score.py`,
which needs no vaead, goes with it. Whoever brings a model may have written anything into both, so they are
never read to load a model, nor handed on with one.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vaead import shipped
from vaead.config import Record
from vaead.data.photos import Photo, read_photo
from vaead.data.photos.reading import scaled
from vaead.errors import ModelFormatError
from vaead.inference.prediction import Prediction, Thresholds, predict
from vaead.inference.read_photos import read_options
from vaead.model.files import GOLDEN, SCRIPT
from vaead.model.folder import save_model
from vaead.model.model import Model
from vaead.paths import AnyPath, to_path, write_whole
from vaead.version import __version__

TOLERANCE = 1e-4
"""Relative difference of scores that processors and versions of LiteRT may make."""
FALSE_ALARM_RATE = 0.05
"""Of the decisions."""
_DETAILS = 48
"""Squares along a side of a picture: large ones make files of any size small."""
_MOST_PX = 2_000
"""Side of the pictures of a model that takes any size, before scaling, if more than one patch fits."""


class GoldenPicture(Record, frozen=True):
    """A picture with the scores and decisions of a model.

    Attributes:
        name: What it shows.
        png: The file; Base64 in JSON.
        scores: By name of the score.
        flagged: Decision by name of the score.
    """

    name: str
    png: bytes
    scores: dict[str, float]
    flagged: dict[str, bool]


class Golden(Record, frozen=True):
    """All that `golden.json` holds.

    Attributes:
        vaead: Version that has computed the scores.
        false_alarm_rate: Of the decisions.
        pictures: The pictures.
    """

    vaead: str
    false_alarm_rate: float
    pictures: tuple[GoldenPicture, ...]

    @classmethod
    def compute(cls, model: Model) -> Golden:
        """Draw the pictures for a model, and score them."""
        height_px, width_px = _size(model)
        found = []
        for name, pixels in _draw(height_px, width_px):
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            prediction = _predict(model, name, buffer.getvalue(), FALSE_ALARM_RATE)
            found.append(GoldenPicture(name, buffer.getvalue(), prediction.scores, prediction.flagged))
        return cls(__version__, FALSE_ALARM_RATE, tuple(found))

    @classmethod
    def read(cls, folder: AnyPath) -> Golden:
        """Read the golden scores in a model's folder.

        Raises:
            ModelFormatError: There are none, or they are damaged.
        """
        try:
            return msgspec.json.decode((folder / GOLDEN).read_bytes(), type=cls)
        except (OSError, ValueError, RecursionError) as error:
            problem = error.strerror if isinstance(error, OSError) else error
            raise ModelFormatError(
                f"{GOLDEN} must be the golden scores of the model, got none that can be read in "
                f"{str(folder)!r} ({problem}); write them with --renew, where the model is known to be right"
            ) from error

    def to_json(self) -> bytes:
        """The content of `golden.json`."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1)

    def differences(self, model: Model) -> list[str]:
        """A line for each score or decision that a model does not compute as here.

        Raises:
            ModelFormatError: It is of another model.
            InvalidInputError: A picture cannot be read, or the rate is out of range.
        """
        lines = []
        for picture in self.pictures:
            now = _predict(model, picture.name, picture.png, self.false_alarm_rate)
            if now.scores.keys() != picture.scores.keys() or now.flagged.keys() != picture.flagged.keys():
                raise ModelFormatError(
                    f"{GOLDEN} must have the scores {', '.join(now.scores)}, got {', '.join(picture.scores)}"
                    "; it is of another model"
                )
            for score, value in picture.scores.items():
                found = now.scores[score]
                if not math.isclose(found, value, rel_tol=TOLERANCE):
                    lines.append(f"{picture.name}: {score} must be {value:.7g}, got {found:.7g}")
                if now.flagged[score] != picture.flagged[score]:
                    lines.append(f"{picture.name}: {score} must {'not ' * now.flagged[score]}flag it")
        return lines


def save_with_golden(folder: AnyPath | str, model: Model) -> None:
    """Write the folder of a model of photos, with golden scores and the program that needs no vaead.

    Raises:
        StoreError: The folder cannot be written.
    """
    save_model(folder, model, _beside(model))


def renew_golden(folder: AnyPath | str, model: Model) -> None:
    """Put golden scores and the program into the folder of a model that is there already.

    Raises:
        OSError: They cannot be written.
    """
    for name, content in _beside(model).items():
        write_whole(to_path(folder) / name, content)


def _beside(model: Model) -> dict[str, bytes]:
    return files_beside(Golden.compute(model).to_json())


def files_beside(golden: bytes) -> dict[str, bytes]:
    """What goes with a model whose `golden.json` has this content, by name."""
    return {GOLDEN: golden, SCRIPT: shipped.SCORE.read_bytes()}


def _predict(model: Model, name: str, png: bytes, false_alarm_rate: float) -> Prediction:
    pixels = read_photo(png, name, read_options(model.card.recipe))
    thresholds = Thresholds.from_rate(model.card.normal_scores, false_alarm_rate)
    return predict(model, Photo(name, name), pixels, thresholds)


def _size(model: Model) -> tuple[int, int]:
    """Height and width before scaling: those that the model needs, or some patches."""
    recipe, scale = model.card.recipe, model.card.recipe.source.scale
    if model.card.image_shape is None:
        side, stride = max((network.patch_size, network.stride) for network in recipe.networks)
        times = max(1, min(3, int(_MOST_PX * scale / side)))
        wanted = times * side, times * side + (stride if times > 1 else 0)
    else:
        wanted = model.card.image_shape
    height_px, width_px = (round(side / scale) for side in wanted)
    assert (scaled(height_px, scale), scaled(width_px, scale)) == tuple(wanted)
    return height_px, width_px


def _draw(height_px: int, width_px: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Three pictures (H, W, 3) with their names, in whole numbers, which no machine rounds."""
    y, x = np.ogrid[:height_px, :width_px]
    y, x = y * _DETAILS // height_px, x * _DETAILS // width_px
    pictures = {
        "gradient with texture": (
            60 + 3 * x + (7 * x * x + 5 * x * y + 3 * y * y) % 29,
            200 - 2 * y,
            90 + x + y,
        ),
        "stripes": (40 + 170 * ((x + y) // 4 % 2), 60 + 130 * ((x + y) // 4 % 2), 220 - 3 * y),
        "arcs": ((x * x + y * y) // 8 % 256, 30 + 4 * x, (x * y) // 4 % 256),
    }
    for name, channels in pictures.items():
        yield name, np.stack(np.broadcast_arrays(*channels), axis=2).astype(np.uint8)
