"""Process that reads photos and runs models of strangers: `python -m vaead.inference.photo_worker`.

It answers the requests of `vaead.inference.photo_service`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from vaead.data.photos import Photo, ReadOptions, Rejected, read_each, read_mask
from vaead.data.photos.examine import examine
from vaead.data.photos.limits import VISITOR_LIMITS
from vaead.errors import VaeadError
from vaead.held_out.recalibration import recalibrate
from vaead.inference.explain import explain, worst_window
from vaead.inference.fit_baselines import fit_baselines
from vaead.inference.golden import Golden
from vaead.inference.messages import (
    Answer,
    Array,
    BaselineRequest,
    BaselineScores,
    CheckRequest,
    Examined,
    ExamineRequest,
    Explained,
    ExplainRequest,
    Near,
    Predicted,
    PredictRequest,
    Recalibrated,
    RecalibrateRequest,
    Refused,
    Sound,
    decode_request,
    encode,
)
from vaead.inference.predict import PredictSettings, predict_each
from vaead.inference.prediction import Prediction, Thresholds
from vaead.inference.read_photos import read_options
from vaead.metrics.baselines import Baselines
from vaead.model.files import pack_reference
from vaead.model.folder import load_model
from vaead.model.model import Model
from vaead.processes.limited_processes import serve
from vaead.scoring.image_scorer import on_one_core
from vaead.scoring.loss_terms import SCORES

_MODELS_IN_MEMORY = 2
_AS_STORED = replace(VISITOR_LIMITS, scaled_pixels=VISITOR_LIMITS.image_pixels)
_ANY_RATE = 0.05
"""Thresholds depend on it, and they are not in the answer."""


def answer(request: bytes) -> bytes:
    """Answer a request."""
    asked = decode_request(request)
    name = "" if isinstance(asked, ExamineRequest | PredictRequest) else asked.folder
    try:
        match asked:
            case ExamineRequest():
                name = asked.name
                found: Answer = _examine(asked)
            case PredictRequest():
                name = asked.photo.name
                found = _predict(asked)
            case CheckRequest():
                found = _check(asked)
            case ExplainRequest():
                found = _explain(asked)
            case RecalibrateRequest():
                found = _recalibrate(asked)
            case BaselineRequest():
                found = _score_baselines(asked)
    except VaeadError as error:
        found = Refused(Rejected.of(name, error))
    return encode(found)


def _examine(asked: ExamineRequest) -> Examined:
    facts = examine(asked.path, asked.name, _AS_STORED)
    if not asked.masks:
        return Examined(facts)
    try:
        mask = read_mask(asked.masks, (asked.path, asked.name), facts.size, ReadOptions(limits=_AS_STORED))
    except VaeadError as error:
        return Examined(facts, Rejected.of(asked.masks[0][1], error))
    return Examined(facts, notes=mask.notes)


def _predict(asked: PredictRequest) -> Predicted | Refused:
    model = _load(asked.folder)
    thresholds = Thresholds.from_rate(model.card.normal_scores, _ANY_RATE)
    settings = PredictSettings(thresholds, true_masks=True, limits=VISITOR_LIMITS)
    # Other processes work on the other cores.
    with on_one_core():
        (found,) = predict_each(model, [asked.photo], settings)
    return Refused(found) if isinstance(found, Rejected) else _arrays(found)


def _arrays(found: Prediction) -> Predicted:
    assert found.image is not None
    assert found.terms is not None
    terms, calibrated = found.terms, found.terms.calibrated
    return Predicted(
        image=Array.of(found.image),
        terms=(Array.of(terms.kl[0]), Array.of(terms.log_variance[0]), Array.of(terms.mahalanobis[0])),
        calibrated_score=None if calibrated is None else float(calibrated.image[0]),
        calibrated_map=None if calibrated is None else Array.of(calibrated.map[0]),
        by_whole=found.by_whole,
        true_mask=None if found.true_mask is None else Array.of(found.true_mask),
        rejected_mask=found.rejected_mask,
    )


def _check(asked: CheckRequest) -> Sound:
    """Ask a model for all that the page asks of it, with the smallest image that it takes."""
    model = _load(asked.folder)
    network = model.card.recipe.networks[0]
    shape = model.card.image_shape or (network.patch_size, network.patch_size)
    colors = () if network.channels == 1 else (network.channels,)
    terms = model.term_maps(np.zeros((1, *shape, *colors), np.float32))
    normal_scores = model.card.normal_scores
    explain(model, np.zeros((*shape, *colors), np.float32), worst_window(terms, "new"))
    for score in SCORES:
        terms.anomaly_maps(score)
        normal_scores.color_range(score)
        normal_scores.heat_range(score)
        terms.mask_above(score, normal_scores.threshold_value(score, _ANY_RATE, "window"))
        normal_scores.threshold_value(score, _ANY_RATE)
    return Sound()


def _explain(asked: ExplainRequest) -> Explained:
    found = explain(_load(asked.folder), asked.image.numpy(), asked.place)
    window, decoded, likeness = found.window, found.window.decoded, found.likeness
    return Explained(
        decoded=(Array.of(decoded.patch), Array.of(decoded.mu), Array.of(decoded.sigma2)),
        z_mean=Array.of(window.z_mean),
        terms=(window.kl, window.log_variance, window.mahalanobis),
        nearest=tuple(
            Near(Array.of(each.picture), each.distance, each.photo, each.place)
            for each in (() if likeness is None else likeness.nearest)
        ),
        share=0.0 if likeness is None else likeness.share,
        count=0 if likeness is None else likeness.count,
    )


def _recalibrate(asked: RecalibrateRequest) -> Recalibrated | Refused:
    """Calibrate on all cores: whoever asks waits for it, and pages are drawn first."""
    model = _load(asked.folder)
    options = read_options(model.card.recipe, VISITOR_LIMITS)
    known = [each[1] for each in read_each(asked.known, options) if not isinstance(each, Rejected)]
    normal = {}
    for each in read_each(asked.normal, options):
        if isinstance(each, Rejected):
            return Refused(each)
        photo, image = each
        normal[photo.label] = image
    found = recalibrate(model, known, normal, even_if_unusual=asked.even_if_unusual)
    references = tuple(pack_reference(each.reference) for each in found.networks)
    return Recalibrated(references, found.card, Golden.compute(found).to_json())


def _score_baselines(asked: BaselineRequest) -> BaselineScores:
    model, baselines = _load(asked.folder), _fitted(asked.folder, asked.normal)
    read = read_each(asked.photos, read_options(model.card.recipe, VISITOR_LIMITS))
    images = (None if isinstance(each, Rejected) else model.blanked(each[1]) for each in read)
    found = ({} if image is None or baselines is None else baselines.scores([image]) for image in images)
    return BaselineScores(
        tuple({name: float(values[0]) for name, values in scores.items()} for scores in found)
    )


@lru_cache(1)
def _fitted(folder: str, normal: tuple[Photo, ...]) -> Baselines | None:
    """One visitor asks several times, for a few photos each."""
    return fit_baselines(_load(folder), normal, VISITOR_LIMITS)


@lru_cache(_MODELS_IN_MEMORY)
def _load(folder: str) -> Model:
    return load_model(folder)


if __name__ == "__main__":
    serve(answer)
