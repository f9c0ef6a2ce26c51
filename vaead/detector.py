"""A detector with the interface of scikit-learn, for images in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted

from vaead.calibration.thresholds import require_rate
from vaead.config import require_name
from vaead.errors import InvalidInputError
from vaead.held_out.recalibration import recalibrate
from vaead.ignored import IgnoredRegion
from vaead.inference.explain import Explanation, explain, worst_window
from vaead.inference.golden import save_with_golden
from vaead.model.folder import load_model
from vaead.model.model import Model
from vaead.presets import preset_names
from vaead.recipe import COLORS, PhotoSource, Recipe
from vaead.scoring.image_scorer import check_images
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.term_maps import TermMaps

Images = NDArray[np.generic] | Sequence[NDArray[np.generic]]
"""Images (N, H, W) or (N, H, W, 3), or a list of images whose sizes may differ; uint8, or 0 to 1."""


class PatchVAEDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Learns what patches of normal images look like, and finds images and places that differ.

    As in scikit-learn a higher `score_samples` is more normal; a higher value of an `anomaly_map` is more
    anomalous, as everywhere in vaead.

    Attributes:
        model_: The trained model; its `card` says how it was made.
    """

    model_: Model

    def __init__(
        self,
        patch_size: int = 24,
        stride: int = 4,
        score: str = "calibrated",
        aligned: bool = False,
        epochs: int | None = None,
        crops: int | None = None,
        false_alarm_rate: float = 0.05,
        random_state: int = 0,
        preset: str = preset_names(for_photos=True)[0],
        ignored: NDArray[np.bool_] | None = None,
    ) -> None:
        """Choose settings; nothing is checked before `fit`, as scikit-learn asks for.

        Args:
            patch_size: Side of a patch in pixels, a multiple of 4.
            stride: Distance of neighbouring windows in pixels.
            score: "old", "new" or "calibrated".
            aligned: True if all images have one size and show the same thing at the same position.
            epochs: Passes over the crops; the preset's if not given.
            crops: Random patches to train on; the preset's if not given.
            false_alarm_rate: Share of normal images that may be predicted to be anomalous.
            random_state: Seed of everything random.
            preset: Name of a preset of photos.
            ignored: (H, W), True in a region of the images that is left out of training, scores and maps. It
                has the size of aligned images, and is resized for others.
        """
        self.patch_size = patch_size
        self.stride = stride
        self.score = score
        self.aligned = aligned
        self.epochs = epochs
        self.crops = crops
        self.false_alarm_rate = false_alarm_rate
        self.random_state = random_state
        self.preset = preset
        self.ignored = ignored

    def fit(self, X: Images, y: object = None) -> PatchVAEDetector:  # noqa: ARG002, N803 - as in scikit-learn
        """Train on normal images; half of them are kept out to set the threshold.

        Raises:
            InvalidInputError: A setting is out of range, or the images are too few, too small or no images.
            UnknownNameError: There is no such score or preset.
            TrainingError: Training did not reach its end.
        """
        from vaead.training.pipeline import train_photos  # TensorFlow takes seconds to import

        require_name("score", self.score, SCORES)
        require_rate(self.false_alarm_rate)
        images = _checked(X)
        recipe = Recipe.from_preset(
            self.preset,
            PhotoSource(
                color=_color(images[0]),
                aligned=self.aligned,
                ignored=None if self.ignored is None else IgnoredRegion.from_mask(self.ignored),
            ),
            patch_size=_plain(self.patch_size),
            stride=_plain(self.stride),
            epochs=_plain(self.epochs),
            crops=_plain(self.crops),
            seed=_plain(self.random_state),
        )
        self.model_ = train_photos(images, recipe)
        return self

    def recalibrate(
        self,
        X: Images,  # noqa: N803
        normal: Images,
        even_if_unusual: bool = False,
    ) -> PatchVAEDetector:
        """Calibrate with normal images that were predicted to be anomalous, without a training.

        Args:
            X: The images that `fit` got; and those of earlier calls, if there were any.
            normal: The others, scaled alike.
            even_if_unusual: Take images that stand far above all normal ones, too.

        Raises:
            NotFittedError: There is no model yet.
            InvalidInputError: Images of `fit` are missing, or one of the others cannot be calibrated with;
                see `vaead.held_out.recalibration`.
        """
        check_is_fitted(self)
        known = [np.asarray(image) for image in X]
        named = {f"image {number}": np.asarray(image) for number, image in enumerate(normal)}
        self.model_ = recalibrate(self.model_, known, named, even_if_unusual=even_if_unusual)
        return self

    @property
    def threshold_(self) -> float:
        """Anomaly score above which an image is predicted to be anomalous.

        It follows `score` and `false_alarm_rate`, which may be set after `fit`.

        Raises:
            NotFittedError: There is no model yet.
            InvalidInputError: The false-alarm rate is out of range.
            UnknownNameError: There is no such score.
        """
        check_is_fitted(self)
        require_name("score", self.score, SCORES)
        return self.model_.card.normal_scores.threshold_value(self.score, self.false_alarm_rate)

    @property
    def offset_(self) -> float:
        """`score_samples` below which an image is predicted to be anomalous, as scikit-learn names it."""
        return -self.threshold_

    def anomaly_map(self, X: Images) -> list[NDArray[np.float32]]:  # noqa: N803
        """Anomaly maps (H, W), one an image: NaN where left out; see `Model.anomaly_map`."""
        return [terms.anomaly_maps(self.score)[0] for terms in self._terms(X)]

    def explain(self, image: NDArray[np.generic], place: tuple[int, int] | None = None) -> Explanation:
        """Why here? One window, what the network makes of it, and the training windows that are most like it.

        Args:
            image: (H, W) or (H, W, 3).
            place: Row and column of the window; if not given, that of the worst one, see
                `vaead.inference.explain.worst_window`.

        Raises:
            NotFittedError: There is no model yet.
            InvalidInputError: The image does not suit the model, or has no such window that counts.
            UnknownNameError: There is no such score.
        """
        check_is_fitted(self)
        if place is None:
            (terms,) = self._terms([image])
            place = worst_window(terms, self.score)
        return explain(self.model_, np.asarray(image), place)

    def score_samples(self, X: Images) -> NDArray[np.float64]:  # noqa: N803
        """Normality of each image: its anomaly score with a minus, (N,)."""
        scores = [-float(terms.image_scores(self.score)[0]) for terms in self._terms(X)]
        return np.array(scores, np.float64)

    def decision_function(self, X: Images) -> NDArray[np.float64]:  # noqa: N803
        """As `score_samples`, shifted so that images below 0 are predicted to be anomalous."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Images) -> NDArray[np.int64]:  # noqa: N803
        """1 for images that look normal, -1 for anomalous ones, (N,)."""
        return np.where(self.decision_function(X) < 0, -1, 1).astype(np.int64)

    def save(self, folder: Path | str) -> None:
        """Write the model; the command line reads it, and so does `load`.

        Raises:
            StoreError: The folder cannot be written.
        """
        check_is_fitted(self)
        save_with_golden(folder, self.model_)

    @classmethod
    def load(
        cls, folder: Path | str, score: str = "calibrated", false_alarm_rate: float = 0.05
    ) -> PatchVAEDetector:
        """Read a model of photos that was written by `save` or by the command line.

        Raises:
            ModelNotFoundError: There is no model.
            ModelFormatError: It is damaged.
            UnknownNameError: There is no such score.
        """
        require_name("score", score, SCORES)
        require_rate(false_alarm_rate)
        model = load_model(folder)
        recipe = model.card.recipe
        region = recipe.source.ignored
        detector = cls(
            patch_size=recipe.networks[0].patch_size,
            stride=recipe.networks[0].stride,
            score=score,
            aligned=recipe.source.aligned,
            epochs=recipe.train.epochs,
            crops=recipe.train.crops,
            false_alarm_rate=false_alarm_rate,
            random_state=recipe.train.seed,
            preset=recipe.preset,
            ignored=None if region is None else region.pixels((region.height, region.width)),
        )
        detector.model_ = model
        return detector

    def _terms(self, images: Images) -> Iterator[TermMaps]:
        check_is_fitted(self)
        for image in images:
            yield self.model_.term_maps(np.asarray(image)[None])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.two_d_array = False
        return tags


def _plain(value: Any) -> Any:
    """A number of NumPy, as a search over settings gives it, as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def _checked(images: Images) -> list[NDArray[np.generic]]:
    found = [np.asarray(image) for image in images]
    if len(found) < 2:
        raise InvalidInputError(
            f"X must hold at least 2 normal images, got {len(found)}; add more, 50 are a good start"
        )
    for image in found:
        check_images(image[None], COLORS[_color(image)])
    if len({image.ndim for image in found}) > 1:
        raise InvalidInputError("X must be all grey or all in colours, got both; convert them to one kind")
    return found


def _color(image: NDArray[np.generic]) -> str:
    return "rgb" if image.ndim == 3 else "luminance"
