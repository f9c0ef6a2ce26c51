"""All that decides what a trained model is, and the presets that name good choices."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from vaead.config import NetworkConfig, TrainConfig, require_name
from vaead.errors import InvalidInputError


@dataclass(frozen=True)
class Preset:
    """A named choice of networks and training; see `Recipe`.

    Attributes:
        scale: Factor by which photos are resized unless told otherwise.
    """

    name: str
    model: NetworkConfig
    train: TrainConfig
    companions: tuple[NetworkConfig, ...] = ()
    scale: float = 1.0


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("article", NetworkConfig(), TrainConfig()),
        Preset(
            "position-aware",
            NetworkConfig(network="dense", patch_size=16, latent_dim=8, sigma2_floor=1e-3),
            TrainConfig(crops=51_200, decay=True, kl_weight=1.0),
        ),
        Preset(
            "multi-scale",
            NetworkConfig(
                network="dense", patch_size=16, stride=4, latent_dim=8, units=128, sigma2_floor=1e-3
            ),
            TrainConfig(crops=51_200, decay=True, kl_weight=1.0),
            (NetworkConfig(network="dense", stride=4, latent_dim=4, units=128, sigma2_floor=1e-3),),
        ),
    )
}
"""Presets by name; the first is the default."""

INDUSTRIAL = Preset(
    "industrial",
    NetworkConfig(
        network="convolutional", patch_size=96, stride=16, latent_dim=16, units=64, sigma2_floor=1e-4
    ),
    TrainConfig(crops=25_600, decay=True, kl_weight=1.0),
    scale=1 / 4,
)
"""For the user's own photos; patches and stride as in the paper, for photos of 640x480 pixels.

These are shrunk to a quarter of their size, as are patches and stride: a minute and not an hour.
"""

PHOTO_PRESETS = {
    preset.name: preset
    for preset in (
        INDUSTRIAL,
        dataclasses.replace(
            INDUSTRIAL,
            name="industrial-multi-scale",
            # One network sees what that of `INDUSTRIAL` sees, the other one the same in twice the detail.
            model=dataclasses.replace(INDUSTRIAL.model, shrink=2),
            companions=(INDUSTRIAL.model,),
            scale=2 * INDUSTRIAL.scale,
        ),
    )
}
"""Presets for the user's own photos by name; the first is the default."""

SHIPPED_PRESETS = ("article", "multi-scale")
"""Presets of which vaead comes with a model of every class."""


def get_preset(name: str) -> Preset:
    """Look up a preset of the datasets with classes by name.

    Raises:
        UnknownNameError: There is no preset of that name.
    """
    require_name("preset", name, PRESETS)
    return PRESETS[name]


_SMALLEST_SCALE = 1e-3


@dataclass(frozen=True)
class PhotoOptions:
    """How the user's own photos are read before a model sees them.

    Attributes:
        color: One of `COLORS`.
        scale: Factor by which they are resized, above 0 and at most 1.
        aligned: Whether all have one size and show the same thing at the same place; each place is calibrated
            by itself then.
    """

    color: str = "luminance"
    scale: float = 1.0
    aligned: bool = False

    def __post_init__(self) -> None:
        require_name("color", self.color, COLORS)
        if not (isinstance(self.scale, int | float) and _SMALLEST_SCALE <= self.scale <= 1):
            raise InvalidInputError(
                f"scale must be a number from {_SMALLEST_SCALE:g} to 1, got {self.scale!r}; try 0.5"
            )


COLORS = {"luminance": 1, "rgb": 3}
"""What is taken of a photo, with its number of channels."""

PHOTOS = "photos"
"""In place of a dataset's name where a model was trained on photos of the user."""


@dataclass(frozen=True)
class Recipe:
    """All that decides what a trained model is: equal recipes and images give equal models; see `fit`.

    Attributes:
        dataset: Name of a registered dataset, or `PHOTOS`.
        normal: Class number that counts as normal; 0 for photos.
        preset: Name of the preset the settings started from.
        model: Network and scan.
        train: Training, of each network.
        companions: Further networks, whose windows have other sizes; they add to the calibrated score.
        photos: How photos are read, if it is trained on those.
    """

    dataset: str
    normal: int
    preset: str
    model: NetworkConfig
    train: TrainConfig
    companions: tuple[NetworkConfig, ...] = ()
    photos: PhotoOptions | None = None

    @property
    def networks(self) -> tuple[NetworkConfig, ...]:
        """All networks, the main one first."""
        return self.model, *self.companions

    @property
    def total_epochs(self) -> int:
        """Epochs of all networks."""
        return self.train.epochs * len(self.networks)

    @classmethod
    def from_preset(
        cls,
        dataset: str,
        normal: int,
        preset: str = "article",
        *,
        epochs: int | None = None,
        crops: int | None = None,
        latent: int | None = None,
        patience: int | None = None,
        seed: int | None = None,
    ) -> Recipe:
        """Take a preset and change what is given.

        Raises:
            UnknownNameError: There is no such preset.
            InvalidInputError: A setting is out of range.
        """
        base = get_preset(preset)
        settings = {"epochs": epochs, "crops": crops, "patience": patience, "seed": seed}
        model: dict[str, Any] = {} if latent is None else {"latent_dim": latent}
        train: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
        return cls(
            dataset,
            normal,
            preset,
            dataclasses.replace(base.model, **model),
            dataclasses.replace(base.train, **train),
            base.companions,
        )

    @classmethod
    def from_photos(
        cls,
        options: PhotoOptions,
        preset: str = INDUSTRIAL.name,
        *,
        patch_size: int | None = None,
        stride: int | None = None,
        epochs: int | None = None,
        crops: int | None = None,
        seed: int | None = None,
    ) -> Recipe:
        """Take a preset, shrink its patches as the photos, and change what is given.

        Args:
            options: How photos are read.
            preset: One of `PHOTO_PRESETS`.
            patch_size: In pixels after scaling; see `NetworkConfig` for what it must be a multiple of.
            stride: In pixels after scaling; these two hold for all networks.
            epochs: See `TrainConfig`, as for the others.
            crops: See there.
            seed: See there.

        Raises:
            UnknownNameError: There is no such preset.
            InvalidInputError: A setting is out of range.
        """
        require_name("preset", preset, PHOTO_PRESETS)
        base = PHOTO_PRESETS[preset]
        size = _patch_size(base.model, options.scale) if patch_size is None else patch_size
        model = dataclasses.replace(
            base.model,
            patch_size=size,
            stride=max(1, size * base.model.stride // base.model.patch_size) if stride is None else stride,
            channels=COLORS[options.color],
        )
        companions = [dataclasses.replace(model, shrink=companion.shrink) for companion in base.companions]
        settings = {"epochs": epochs, "crops": crops, "seed": seed}
        train: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
        return cls(
            PHOTOS,
            0,
            preset,
            model,
            dataclasses.replace(base.train, **train),
            tuple(companions),
            options,
        )

    @property
    def path(self) -> PurePosixPath:
        """Where the model lies in a store: the preset's name, then every setting that differs from it.

        Settings of the second network begin with "2.", and so on.

        Raises:
            InvalidInputError: It is of photos, whose models lie in folders of their own.

        >>> str(Recipe.from_preset("mnist", 1).path)
        'mnist/1/article'
        >>> str(Recipe.from_preset("mnist", 1, epochs=3, seed=7).path)
        'mnist/1/article+epochs3+seed7'
        """
        if self.photos is not None:
            raise InvalidInputError(
                "recipe must be of a dataset with classes to have a place in a store, got one of photos; "
                "save its model to a folder of its own"
            )
        base = get_preset(self.preset)
        usual = (base.model, *base.companions)
        changes = _changes(self.train, base.train)
        if len(self.networks) != len(usual):
            changes.append(f"networks{len(self.networks)}")
        for index, network in enumerate(self.networks):
            found = _changes(network, usual[index] if index < len(usual) else NetworkConfig())
            changes += [f"{index + 1}.{change}" if index else change for change in found]
        return PurePosixPath(self.dataset, str(self.normal), "+".join([self.preset, *sorted(changes)]))


def _changes(chosen: NetworkConfig | TrainConfig, usual: NetworkConfig | TrainConfig) -> list[str]:
    """The settings that differ from the usual ones, each with its value."""
    default = dataclasses.asdict(usual)
    return [
        f"{name.removesuffix('_dim')}{value}"
        for name, value in dataclasses.asdict(chosen).items()
        if value != default[name]
    ]


def _patch_size(network: NetworkConfig, scale: float) -> int:
    """The patch size of a network in photos of that scale: the nearest that it can have, and not tiny."""
    step = 4 * network.shrink
    return max(16, step * round(network.patch_size * scale / step))
