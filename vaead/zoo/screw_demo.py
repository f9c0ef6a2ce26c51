"""The demo of the user's own photos: made-up screw holes, and the model of them that comes with vaead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from vaead.data.photos.layout import NORMAL
from vaead.data.screws.generator import DEFECTS, Screw, make_screw
from vaead.recipe import PhotoSource, Recipe

NAME = "screws"
"""In place of a dataset's name, for its model."""

_SEED = 0
_SCALE = 0.5
"""Of 640x480 pixels: made in some seconds, and as detailed as any preset sees them unless told otherwise."""


@dataclass(frozen=True)
class DemoSize:
    """How many images the demo has."""

    normal: int = 60
    good: int = 10
    defective: int = 5


@dataclass(frozen=True)
class DemoImage:
    """An image of the demo, not made yet.

    Attributes:
        name: Its file in the layout of MVTec AD.
        index: Its place in the set.
        defect: `NORMAL`, or one of the defects of screws.
        severity: Of the defect, None where there is none.
    """

    name: str
    index: int
    defect: str = NORMAL
    severity: float | None = None

    @property
    def to_train(self) -> bool:
        """Whether it is to learn from, and not to judge."""
        return self.name.startswith("train/")

    def make(self) -> Screw:
        """Make it; always the same."""
        return make_screw(
            _SEED, self.index, None if self.defect == NORMAL else self.defect, self.severity, _SCALE
        )


def images(size: DemoSize | None = None) -> list[DemoImage]:
    """All images of the demo, those to learn from first, defects from slight to obvious."""
    size = size or DemoSize()
    plan: list[tuple[str, str, float | None]]
    plan = [(f"train/good/{number:03d}.png", NORMAL, None) for number in range(size.normal)]
    plan += [(f"test/good/{number:03d}.png", NORMAL, None) for number in range(size.good)]
    plan += [
        (f"test/{defect}/{number:03d}.png", defect, (number + 1) / size.defective)
        for defect in DEFECTS
        for number in range(size.defective)
    ]
    return [DemoImage(name, index, defect, severity) for index, (name, defect, severity) in enumerate(plan)]


def samples() -> list[DemoImage]:
    """One image of each kind, which is none of the others."""
    normal = DemoImage(NORMAL, 500)
    return [normal, *(DemoImage(defect, 501 + at, defect, 0.9) for at, defect in enumerate(DEFECTS))]


def recipe() -> Recipe:
    """What the page proposes for these images: patches and stride of the paper, at a quarter of the size."""
    return Recipe.from_preset("industrial", PhotoSource(scale=0.25 / _SCALE), patch_size=24, stride=4)


def model_folder() -> PurePosixPath:
    """Path of the model of the demo, below the root of a store."""
    return PurePosixPath(NAME, recipe().preset)
