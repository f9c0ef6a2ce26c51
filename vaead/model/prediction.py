"""What a model says about one photo: scores, maps, decision and the regions it points at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.thresholds import NormalScores
from vaead.model.model import Model
from vaead.scoring.term_maps import TermMaps


@dataclass(frozen=True)
class Judgement:
    """A model's opinion of one photo.

    Attributes:
        scores: Anomaly score by name of the score; higher is more anomalous.
        flagged: Whether each score is above its threshold.
        maps: For each score (H, W), the mean of the windows over each pixel.
        masks: For each score (H, W), the pixels whose map is above the threshold of the largest window, so
            that as many normal images have any such pixel as the false-alarm rate says.
    """

    scores: dict[str, float]
    flagged: dict[str, bool]
    maps: dict[str, NDArray[np.float32]]
    masks: dict[str, NDArray[np.bool_]]


def judge(model: Model, photo: NDArray[np.generic], false_alarm_rate: float) -> Judgement:
    """Judge one photo.

    Args:
        model: Of photos, or of a dataset with classes.
        photo: (H, W), or (H, W, 3) for a model with colours, scaled as its recipe says; uint8, or 0 to 1.
        false_alarm_rate: Share of normal photos that may be flagged, above 0 and below 1.

    Raises:
        InvalidInputError: The photo or the rate is not as described.
    """
    return judge_terms(model.term_maps(photo[None]), model.card.normal_scores, false_alarm_rate)


def judge_terms(terms: TermMaps, calibration: NormalScores, false_alarm_rate: float) -> Judgement:
    """As `judge`, from the term maps of one photo and what the model knows of normal ones."""
    names = terms.scores
    scores = {name: float(terms.image_scores(name)[0]) for name in names}
    limits = {name: calibration.threshold_value(name, false_alarm_rate) for name in names}
    windows = {name: calibration.threshold_value(name, false_alarm_rate, "window") for name in names}
    maps = {name: terms.anomaly_maps(name)[0] for name in names}
    return Judgement(
        scores=scores,
        flagged={name: scores[name] > limits[name] for name in names},
        maps=maps,
        masks={name: terms.mask_above(name, value)[0] for name, value in windows.items()},
    )
