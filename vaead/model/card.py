"""The model card: how a model was made and which scores its normal images get, as JSON."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.calibration.thresholds import NormalScores
from vaead.config import Record, require_number, require_range
from vaead.errors import ModelFormatError
from vaead.model.events import EpochReport
from vaead.recipe import Recipe
from vaead.scoring.light import Light

FORMAT_VERSION = 8
"""Another number whenever one vaead could not read what another writes."""

_LONGEST_SIDE_PX = 10**6
_MOST_TRIED = 10**6


class LayerCard(Record, frozen=True):
    """A layer that computes something.

    Attributes:
        part: "encoder" or "decoder".
        layer: Its name.
        kind: Its class in Keras.
        output: Shape of its output for one patch, height x width x channels, or its length.
        parameters: Number of its parameters.
    """

    part: str
    layer: str
    kind: str
    output: str
    parameters: int


class NetworkCard(Record, frozen=True):
    """A trained network.

    Attributes:
        history: One report an epoch.
        diagnostics: Fit to held-out normal patches.
        layers: Its layers, from the patch to its reconstruction.
    """

    history: tuple[EpochReport, ...]
    diagnostics: TrainingDiagnostics
    layers: tuple[LayerCard, ...] = ()

    def __post_init__(self) -> None:
        if not self.history:
            raise ValueError("history must hold at least one epoch")


class DefectTrial(Record, frozen=True):
    """Made-up defects of one kind and size in held-out photos, see `vaead.data.photos.made_defects`.

    Attributes:
        kind: Kind of the defects.
        size_px: Their size, in pixels of the scaled photos: the width of scratches, the diameter of others.
        tried: Number of photos with one.
        found: Number of these that are flagged by calibrated at 5 % false alarms.
        auroc: Of calibrated, these photos against held-out normal ones.
    """

    kind: str
    size_px: float
    tried: int
    found: int
    auroc: float

    def __post_init__(self) -> None:
        require_range("tried", self.tried, 1, _MOST_TRIED)
        require_range("found", self.found, 0, self.tried)
        require_number("size_px", self.size_px, 0, _LONGEST_SIDE_PX)
        require_number("auroc", self.auroc, 0, 1.000001)


class ModelCard(Record, frozen=True):
    """All that is known of a trained model.

    Attributes:
        recipe: Source, networks and training.
        fingerprint: Digest of the normal training images, see `Dataset.class_fingerprint`.
        image_shape: Height and width of aligned training images in pixels; None for photos that are not
            aligned, whose model takes images of any size.
        networks: One card for each network of the recipe.
        normal_scores: Scores of held-out normal images.
        versions: Versions of vaead, Python and the libraries that made it, by name.
        created: Date and time in UTC, ISO 8601.
        auroc: For each score, AUROC on the test images against each other class by its number, and against
            "all" of them. Empty where nobody has measured it.
        longer_side_px: Smallest and largest longer side of the training photos, after scaling. None for a
            dataset with classes.
        light: Light to which photos are brought; None where it is left as it is.
        trials: Made-up defects that a model of photos was tried on.
        elapsed_s: Seconds from the first epoch to the end, calibration included; None where nobody has
            measured it.
        held_out: Digests of the photos that a model of photos was calibrated with, by which these are found
            again; see `vaead.held_out.recalibration`.
        added: How many of these, the last ones, were added after the training.
        kinds: Number of kinds of photos that were told apart among these, see `vaead.calibration.kinds`.
    """

    recipe: Recipe
    fingerprint: str
    image_shape: tuple[int, int] | None
    networks: tuple[NetworkCard, ...]
    normal_scores: NormalScores
    versions: dict[str, str]
    created: str
    auroc: dict[str, dict[str, float]] = {}  # noqa: RUF012 - msgspec copies it for each card
    longer_side_px: tuple[int, int] | None = None
    light: Light | None = None
    trials: tuple[DefectTrial, ...] = ()
    elapsed_s: float | None = None
    held_out: tuple[str, ...] = ()
    added: int = 0
    kinds: int = 1

    def __post_init__(self) -> None:
        if len(self.networks) != len(self.recipe.networks):
            raise ValueError(f"networks must be {len(self.recipe.networks)}, got {len(self.networks)}")
        if (self.image_shape is not None) != self.recipe.source.aligned:
            raise ValueError("image_shape must be given for aligned images, and for them alone")
        for side in (*(self.image_shape or ()), *(self.longer_side_px or ())):
            require_range("pixels", side, 1, _LONGEST_SIDE_PX)
        if (self.light is not None) != self.recipe.source.even_light:
            raise ValueError("light must be given where it is evened, and there alone")
        require_range("added", self.added, 0, max(0, len(self.held_out) - 1))
        require_range("kinds", self.kinds, 1, max(1, len(self.held_out)))
        if "vaead" not in self.versions:
            raise ValueError("versions must hold that of vaead")

    @property
    def diagnostics(self) -> tuple[TrainingDiagnostics, ...]:
        """Fit of each network to held-out normal patches."""
        return tuple(network.diagnostics for network in self.networks)

    @property
    def is_dead(self) -> bool:
        """True if a network has learned nothing, so that its scores mean nothing."""
        return any(each.is_dead for each in self.diagnostics)

    @property
    def training_s(self) -> float:
        """Seconds in which the model was made; of its networks alone where no more is known."""
        of_networks = sum(network.history[-1].elapsed_s for network in self.networks)
        return of_networks if self.elapsed_s is None else self.elapsed_s

    @property
    def trial_auroc(self) -> float | None:
        """Mean AUROC on made-up defects of all kinds and sizes; None where there are none."""
        return sum(trial.auroc for trial in self.trials) / len(self.trials) if self.trials else None

    @property
    def trial_error(self) -> float | None:
        """Standard error of `trial_auroc`; None where there are no trials.

        Source: J. Hanley and B. McNeil, "The meaning and use of the area under a ROC curve", 1982.
        """
        auroc = self.trial_auroc
        if auroc is None:
            return None
        tried, normal = sum(trial.tried for trial in self.trials), self.normal_scores.n_images
        two_anomalous, two_normal = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
        variance = auroc * (1 - auroc) + (tried - 1) * (two_anomalous - auroc**2)
        variance += (normal - 1) * (two_normal - auroc**2)
        return math.sqrt(max(0.0, variance) / (tried * normal))

    def to_json(self, checksums: dict[str, str]) -> str:
        """Write the card, with the checksums of the files that belong to it."""
        return msgspec.json.encode(_CardFile(FORMAT_VERSION, checksums, self)).decode()

    @classmethod
    def from_json(cls, text: str) -> tuple[ModelCard, dict[str, str]]:
        """Read a card and the checksums in it.

        Raises:
            ModelFormatError: It is damaged or from another version of vaead.
        """
        try:
            version = msgspec.json.decode(text, type=_Version).format_version
            if version == FORMAT_VERSION:
                file = msgspec.json.decode(text, type=_CardFile)
                return file.card, file.sha256
        except (ValueError, LookupError, RecursionError) as error:
            raise ModelFormatError(
                f"card.json must be a model card of vaead, got one that cannot be read ({error}); "
                "train the model again"
            ) from error
        raise ModelFormatError(
            f"format_version must be {FORMAT_VERSION}, got {version!r}: the model is from another version of "
            "vaead; train it again, or use that version"
        )


class _Version(msgspec.Struct):
    """The one field that cards of all versions have; all others are passed over."""

    format_version: Any


class _CardFile(Record, frozen=True):
    format_version: int
    sha256: dict[str, str]
    card: ModelCard
