"""The model card: how a model was made and what its normal images look like, as JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.calibration.thresholds import NormalScores
from vaead.config import NetworkConfig, TrainConfig, require_name
from vaead.errors import ModelFormatError
from vaead.recipe import PHOTO_PRESETS, PRESETS, PhotoOptions, Recipe

FORMAT_VERSION = 2
"""Another number whenever one vaead could not read what another writes."""


@dataclass(frozen=True)
class Companion:
    """What is known of a further network of a model; see `ModelCard`."""

    history: list[dict[str, float]]
    health: TrainingDiagnostics


@dataclass(frozen=True)
class ModelCard:
    """What is known of a trained model.

    Attributes:
        recipe: What it was made from.
        fingerprint: Of the normal training images, see `Dataset.class_fingerprint`.
        image_shape: Height and width of the training images in pixels; None where calibration is pooled, so
            that images of any size can be judged.
        history: One entry an epoch, the fields of `vaead.training.fit.EpochReport`.
        layers: See `vaead.training.network.describe_layers`.
        calibration: Scores of held-out normal images.
        health: Whether the training went well.
        versions: Of Python and the libraries that made it.
        created: Date and time in UTC, ISO 8601.
        companions: The further networks of the recipe.
        auroc: For each score, AUROC on the test images against each other class by its number, and against
            "all" of them. Empty where nobody has measured it.
        longer_side_px: Smallest and largest longer side of the photos it was trained on, after scaling. None
            for a dataset with classes, and where an older version has made the model.
    """

    recipe: Recipe
    fingerprint: str
    image_shape: tuple[int, int] | None
    history: list[dict[str, float]]
    layers: list[dict[str, Any]]
    calibration: NormalScores
    health: TrainingDiagnostics
    versions: dict[str, str]
    created: str
    companions: list[Companion]
    auroc: dict[str, dict[str, float]] = field(default_factory=dict)
    longer_side_px: tuple[int, int] | None = None

    @property
    def healths(self) -> tuple[TrainingDiagnostics, ...]:
        """Whether the training of each network went well."""
        return self.health, *(companion.health for companion in self.companions)

    @property
    def training_s(self) -> float:
        """Seconds in which all networks were trained."""
        histories = [self.history, *(companion.history for companion in self.companions)]
        return sum(history[-1]["elapsed_s"] for history in histories)

    def to_json(self, checksums: dict[str, str]) -> str:
        """Write the card, with the checksums of the files that belong to it."""
        content = {"format_version": FORMAT_VERSION, "sha256": checksums, **dataclasses.asdict(self)}
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> tuple[ModelCard, dict[str, str]]:
        """Read a card and the checksums in it.

        Raises:
            ModelFormatError: It is damaged or from a newer version of vaead.
        """
        try:
            content = json.loads(text)
            version = content.pop("format_version")
            if version != FORMAT_VERSION:
                raise ModelFormatError(
                    f"format_version must be {FORMAT_VERSION}, got {version!r}; "
                    "update vaead or train the model again"
                )
            checksums = content.pop("sha256")
            content["recipe"]["model"] = NetworkConfig(**content["recipe"]["model"])
            content["recipe"]["train"] = TrainConfig(**content["recipe"]["train"])
            photos = content["recipe"].get("photos")
            content["recipe"]["photos"] = photos and PhotoOptions(**photos)
            companions = (NetworkConfig(**companion) for companion in content["recipe"]["companions"])
            content["recipe"] = Recipe(**content["recipe"] | {"companions": tuple(companions)})
            content["companions"] = [
                Companion(companion["history"], TrainingDiagnostics(**companion["health"]))
                for companion in content["companions"]
            ]
            content["calibration"] = NormalScores(**content["calibration"])
            content["health"] = TrainingDiagnostics(**content["health"])
            content["image_shape"] = _pair(content["image_shape"])
            content["longer_side_px"] = _pair(content.get("longer_side_px"))
            _require_kinds(content, checksums)
            return cls(**content), checksums
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            if isinstance(error, ModelFormatError):
                raise
            raise ModelFormatError(
                f"card.json must be a model card of vaead, got one that cannot be read ({error}); "
                "train the model again"
            ) from error


def _pair(values: list[int] | None) -> tuple[int, int] | None:
    if values is None:
        return None
    first, second = values
    if not all(isinstance(value, int) and value > 0 for value in (first, second)):
        raise ValueError(f"pixels must be whole numbers above 0, got {values!r}")
    return first, second


_KINDS = {
    "fingerprint": str,
    "created": str,
    "versions": dict,
    "history": list,
    "layers": list,
    "auroc": dict,
}


def _require_kinds(content: dict[str, Any], checksums: object) -> None:
    """Look at what no class of the card looks at itself."""
    for name, kind in _KINDS.items():
        if not isinstance(content.get(name, kind()), kind):
            raise TypeError(f"{name} must be a {kind.__name__}, got {content[name]!r}")
    if not isinstance(checksums, dict):
        raise TypeError(f"sha256 must be a dict, got {checksums!r}")
    require_name("preset", content["recipe"].preset, {**PRESETS, **PHOTO_PRESETS})
    histories = [content["history"], *(companion.history for companion in content["companions"])]
    for history in histories:
        if not isinstance(history[-1]["elapsed_s"], int | float):
            raise TypeError("elapsed_s must be a number")
    if not all(
        isinstance(each, str) for each in (content["versions"]["vaead"], *content["versions"].values())
    ):
        raise TypeError("versions must be texts")
