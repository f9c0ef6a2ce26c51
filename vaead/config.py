"""Settings of a network and of its training."""

from __future__ import annotations

import math
from collections.abc import Collection

from msgspec import Struct

from vaead.errors import InvalidInputError, UnknownNameError

NETWORKS = ("article", "dense", "convolutional")
"""Values of `NetworkConfig.network`."""

_SMALLEST_FLOOR = 1e-10
"""Far below the square of a grey level, 1.5e-5, and M with it is far from the end of 32-bit numbers."""


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all that is stored as JSON: immutable, and refused if a field is unknown or missing."""


class NetworkConfig(Record, frozen=True):
    """The network and the way it scans an image.

    Attributes:
        network: "article", the tutorial's convolutions; "dense", two hidden layers that also take the
            position of a patch in its image; or "convolutional", as deep as its patches are large.
        patch_size: Side of a patch in pixels, a multiple of 4 (the article's encoder halves it twice).
        stride: Distance of neighbouring windows in pixels, at most `patch_size`.
        latent_dim: Dimensions of z.
        units: Width of the hidden layers of "dense", and of the widest layers of "convolutional".
        sigma2_floor: Smallest predicted variance. Where normal pixels never vary, the likelihood has no
            maximum: sigma2 runs to 0 and one grey level decides a score.
        channels: 1 for grey images, 3 for colours ("convolutional" alone).
    """

    network: str = "article"
    patch_size: int = 8
    stride: int = 2
    latent_dim: int = 2
    units: int = 256
    sigma2_floor: float = 0.02
    channels: int = 1

    def __post_init__(self) -> None:
        require_name("network", self.network, NETWORKS)
        if not isinstance(self.patch_size, int) or self.patch_size < 4 or self.patch_size % 4:
            raise InvalidInputError(
                f"patch_size must be a multiple of 4, got {self.patch_size!r}; try 8 or 16"
            )
        if self.channels not in ((1, 3) if self.network == "convolutional" else (1,)):
            raise InvalidInputError(
                f"channels must be 1, or 3 with the network convolutional, got {self.channels!r}; "
                "read the images as luminance or choose that network"
            )
        require_range("stride", self.stride, 1, self.patch_size)
        require_range("latent", self.latent_dim, 1, 64)
        require_range("units", self.units, 1, 4096)
        require_number("sigma2_floor", self.sigma2_floor, _SMALLEST_FLOOR, 1)

    @property
    def patch_shape(self) -> tuple[int, ...]:
        """(patch_size, patch_size), and the channels if there are more than one."""
        side = self.patch_size
        return (side, side) if self.channels == 1 else (side, side, self.channels)

    @property
    def patch_values(self) -> int:
        """Numbers in a patch."""
        return self.patch_size**2 * self.channels

    @property
    def cells(self) -> int:
        """Cells per side of a window; M is returned for each cell, see `Scan.cells`."""
        return math.gcd(self.patch_size, 8) if self.network == "convolutional" else 1

    @property
    def position_aware(self) -> bool:
        """True if the network takes the position of a patch."""
        return self.network == "dense"


class TrainConfig(Record, frozen=True):
    """The training of a network.

    Attributes:
        crops: Random patches drawn once from the training images.
        epochs: Passes over the crops.
        batch_size: Patches per step.
        learning_rate: Step size of Adam.
        decay: Lets the learning rate fall to 0 along a cosine, over all epochs.
        kl_weight: Weight of D against A + M, all per patch. The tutorial adds the batch *mean* of D to
            the batch *sum* of A + M, which with 128 patches a batch is a weight of 1/128.
        held_out: Fraction of the normal training images that is kept out of training to learn the scores
            of normal images. Half of them: patches are many in any image, but the calibrated score has
            to learn from whole images how normal windows vary together.
        seed: Seed of everything random: split, crops, weights, order, sampling.
    """

    crops: int = 100_000
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    decay: bool = False
    kl_weight: float = 1 / 128
    held_out: float = 1 / 2
    seed: int = 0

    def __post_init__(self) -> None:
        require_range("batch_size", self.batch_size, 2, 65_536)
        require_range("crops", self.crops, self.batch_size, 5_000_000)
        require_range("epochs", self.epochs, 1, 1_000)
        require_number("learning_rate", self.learning_rate, 1e-8, 1)
        require_number("kl_weight", self.kl_weight, 0, 1_000)
        require_number("held_out", self.held_out, 1e-3, 1)
        require_range("seed", self.seed, 0, 2**31 - 1)


def require_range(argument: str, value: object, low: int, high: int) -> None:
    """Raise InvalidInputError unless a value is a whole number from `low` to `high`."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInputError(
            f"{argument} must be a whole number from {low:,} to {high:,}, got {value!r}; "
            "choose one in that range"
        )


def require_number(argument: str, value: object, low: float, high: float) -> None:
    """Raise InvalidInputError unless a value is a number from `low` to below `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < high:
        raise InvalidInputError(
            f"{argument} must be a number from {low:,g} to below {high:,g}, got {value!r}; "
            "choose one in that range"
        )


def require_name(argument: str, value: object, names: Collection[str]) -> None:
    """Raise UnknownNameError unless a value is one of the names."""
    if value not in names:
        raise UnknownNameError(
            f"{argument} must be one of {', '.join(names)}, got {value!r}; choose one of these"
        )
