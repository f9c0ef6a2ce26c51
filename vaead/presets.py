"""Named choices of networks and training."""

from __future__ import annotations

from dataclasses import dataclass

from vaead.config import NetworkConfig, TrainConfig, require_name


@dataclass(frozen=True)
class Preset:
    """A named choice of networks and training; see `Recipe`.

    Attributes:
        networks: The main network first: it gives D, A and M. All add to the calibrated score.
        for_photos: True for the user's own photos, False for a class of a dataset.
    """

    name: str
    networks: tuple[NetworkConfig, ...]
    train: TrainConfig
    for_photos: bool = False


def _dense(patch_size: int, stride: int, latent_dim: int, units: int) -> NetworkConfig:
    return NetworkConfig("dense", patch_size, stride, latent_dim, units, sigma2_floor=1e-3)


_POSITION_AWARE = TrainConfig(crops=51_200, decay=True, kl_weight=1.0)

PRESETS = {
    preset.name: preset
    for preset in (
        Preset("article", (NetworkConfig(),), TrainConfig()),
        Preset("position-aware", (_dense(16, 2, 8, 256),), _POSITION_AWARE),
        Preset("multi-scale", (_dense(16, 4, 8, 128), _dense(8, 4, 4, 128)), _POSITION_AWARE),
        # The paper's windows of 96 pixels every 16 on photos of 640x480, at a third of that size: training
        # takes a minute and not an hour.
        Preset(
            "industrial",
            (NetworkConfig("convolutional", 32, 5, latent_dim=16, units=64, sigma2_floor=1e-4),),
            TrainConfig(crops=25_600, decay=True, kl_weight=1.0),
            for_photos=True,
        ),
    )
}
"""Presets by name; the first of each kind is the default."""

SHIPPED_PRESETS = ("article", "multi-scale")
"""Presets of which vaead comes with a model of every class."""


def preset_names(*, for_photos: bool = False) -> tuple[str, ...]:
    """Names of the presets of one kind, the default first."""
    return tuple(preset.name for preset in PRESETS.values() if preset.for_photos == for_photos)


def get_preset(name: str, *, for_photos: bool = False) -> Preset:
    """Look up a preset of one kind by name.

    Raises:
        UnknownNameError: There is no such preset.
    """
    require_name("preset", name, preset_names(for_photos=for_photos))
    return PRESETS[name]
