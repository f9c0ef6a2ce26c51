"""Everything that decides a trained model: the source of its images, its networks and their training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, ClassVar, TypedDict, Unpack

import msgspec
from msgspec.structs import asdict, replace

from vaead.config import NetworkConfig, Record, TrainConfig, require_name, require_range
from vaead.errors import InvalidInputError, VaeadError
from vaead.ignored import IgnoredRegion
from vaead.presets import Preset, get_preset

COLORS = {"luminance": 1, "rgb": 3}
"""Channels of a photo by colour mode."""

_SMALLEST_SCALE = 1e-3


class ClassSource(Record, frozen=True, tag_field="kind", tag="class"):
    """Images of one class of a dataset count as normal.

    Attributes:
        dataset: Name of a registered dataset.
        normal: Number of the normal class.
    """

    color: ClassVar[str] = "luminance"
    scale: ClassVar[float] = 1.0
    aligned: ClassVar[bool] = True
    bits: ClassVar[int | None] = None
    even_light: ClassVar[bool] = False
    ignored: ClassVar[IgnoredRegion | None] = None

    dataset: str
    normal: int


class PhotoSource(Record, frozen=True, tag_field="kind", tag="photos"):
    """The user's own normal photos.

    Attributes:
        color: One of `COLORS`.
        scale: Factor by which photos are resized, above 0 and at most 1.
        aligned: True if all have one size and show the same thing at the same position; each position is
            calibrated by itself then.
        bits: Bits that are used in files of 16 bit, see `ReadOptions`; None for all.
        even_light: True if photos are brought to one brightness and contrast, because light or exposure
            change from photo to photo and mean nothing.
        ignored: Region of every photo that is left out of training, scores and maps; None for none.
    """

    color: str = "luminance"
    scale: float = 1.0
    aligned: bool = False
    bits: int | None = None
    even_light: bool = False
    ignored: IgnoredRegion | None = None

    def __post_init__(self) -> None:
        require_name("color", self.color, COLORS)
        if self.bits is not None:
            require_range("bits", self.bits, 8, 16)
        if not (isinstance(self.scale, int | float) and _SMALLEST_SCALE <= self.scale <= 1):
            raise InvalidInputError(
                f"scale must be a number from {_SMALLEST_SCALE:g} to 1, got {self.scale!r}; try 0.5"
            )


Source = ClassSource | PhotoSource


class Settings(TypedDict, total=False):
    """Settings that replace those of a preset; None keeps the preset's. See `NetworkConfig`, `TrainConfig`.

    Patch size and stride are in pixels of the scaled images; they and `latent_dim` change the first network.
    """

    patch_size: int | None
    stride: int | None
    latent_dim: int | None
    epochs: int | None
    crops: int | None
    seed: int | None


_OF_TRAINING = ("epochs", "crops", "seed")


class Recipe(Record, frozen=True):
    """Everything that decides a trained model; equal recipes and images give equal models.

    Attributes:
        source: A class of a dataset, or photos.
        preset: Name of the preset the settings started from.
        networks: The main network first: it gives D, A and M. All add to the calibrated score.
        train: Training of each network.
    """

    source: Source
    preset: str
    networks: tuple[NetworkConfig, ...]
    train: TrainConfig

    def __post_init__(self) -> None:
        get_preset(self.preset, for_photos=self.for_photos)
        if not self.networks:
            raise InvalidInputError("networks must be at least one, got none; take those of a preset")

    @property
    def for_photos(self) -> bool:
        """True if the model is of photos, False if of a class of a dataset."""
        return isinstance(self.source, PhotoSource)

    @property
    def class_source(self) -> ClassSource:
        """The source of a recipe of a class.

        Raises:
            InvalidInputError: The recipe is of photos.
        """
        if isinstance(self.source, ClassSource):
            return self.source
        raise InvalidInputError(
            "recipe must be of a class of a dataset, got one of photos; models of photos have folders of "
            "their own"
        )

    def with_dataset(self, dataset: str) -> Recipe:
        """The same recipe for the same class number of another dataset.

        Raises:
            InvalidInputError: The recipe is of photos.
        """
        return replace(self, source=replace(self.class_source, dataset=dataset))

    def require_shapes(self, shapes: Iterable[tuple[int, ...]], scale: float) -> None:
        """Raise InvalidInputError if aligned photos differ in size, or the region to ignore does.

        Args:
            shapes: (H, W, ...) of the photos.
            scale: Factor by which the photos have been resized to these.
        """
        if not self.source.aligned:
            return
        sizes = sorted({(shape[1], shape[0]) for shape in shapes})
        if len(sizes) > 1:
            first, last = (f"{width}x{height}" for width, height in (sizes[0], sizes[-1]))
            raise InvalidInputError(
                f"aligned photos must have one size, got {first} and {last} px; leave out --aligned, or "
                "crop them"
            )
        if sizes and self.source.ignored is not None:
            self.source.ignored.require_size(sizes[0][::-1], scale)

    @property
    def total_epochs(self) -> int:
        """Epochs of all networks."""
        return self.train.epochs * len(self.networks)

    @classmethod
    def from_preset(cls, preset: str, source: Source, **settings: Unpack[Settings]) -> Recipe:
        """Take a preset, fit it to the colour of photos, and change the settings that are given.

        Raises:
            UnknownNameError: There is no such preset for this source.
            InvalidInputError: A setting is out of range.
        """
        base = get_preset(preset, for_photos=isinstance(source, PhotoSource))
        given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
        train = {name: given.pop(name) for name in _OF_TRAINING if name in given}
        first, *others = base.networks
        if isinstance(source, PhotoSource):
            given = _fitted(first, source, given)
        networks = (replace(first, **given), *others)
        return cls(source, preset, networks, replace(base.train, **train))

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Read a recipe as `to_json` writes it, and as it stands in the card of a model.

        Raises:
            InvalidInputError: It is no recipe, or a setting is out of range.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except VaeadError:
            raise
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(
                f"recipe must be one in JSON, got {str(text)[:80]!r} ({error}); copy it from a card.json"
            ) from error

    def to_json(self) -> str:
        """The recipe as JSON."""
        return msgspec.json.encode(self).decode()

    @property
    def path(self) -> PurePosixPath:
        """Path of the model in a store: the preset's name, then every setting that differs from it.

        Settings of the second network begin with "2.", and so on.

        Raises:
            InvalidInputError: The recipe is of photos.

        >>> str(Recipe.from_preset("article", ClassSource("mnist", 1)).path)
        'mnist/1/article'
        >>> str(Recipe.from_preset("article", ClassSource("mnist", 1), epochs=3, seed=7).path)
        'mnist/1/article+epochs3+seed7'
        """
        source = self.class_source
        name = "+".join([self.preset, *sorted(self._changes(get_preset(self.preset)))])
        return PurePosixPath(source.dataset, str(source.normal), name)

    def _changes(self, base: Preset) -> list[str]:
        changes = _changes(self.train, base.train)
        if len(self.networks) != len(base.networks):
            changes.append(f"networks{len(self.networks)}")
        for index, network in enumerate(self.networks):
            usual = base.networks[index] if index < len(base.networks) else NetworkConfig()
            found = _changes(network, usual)
            changes += [f"{index + 1}.{change}" if index else change for change in found]
        return changes


def _fitted(network: NetworkConfig, photos: PhotoSource, given: dict[str, Any]) -> dict[str, Any]:
    """The settings given, after the stride and channels that fit the patch size and the colour.

    The stride stays the same fraction of the patch size as in the preset.
    """
    size = given.get("patch_size", network.patch_size)
    stride = max(1, round(size * network.stride / network.patch_size))
    return {"stride": stride, "channels": COLORS[photos.color]} | given


def _changes(chosen: Record, usual: Record) -> list[str]:
    """The settings that differ from the usual ones, each with its value."""
    default = asdict(usual)
    return [
        f"{name.removesuffix('_dim')}{value}"
        for name, value in asdict(chosen).items()
        if value != default[name]
    ]
