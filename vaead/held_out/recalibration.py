"""Calibrate a model of photos anew, with more normal photos and without a training.

Photos that a model has flagged although they are normal join those that it was calibrated with: normal
windows, scales and thresholds are found again as at the end of a training. The networks stay as they are.

A model keeps no photos but small windows, and digests of those that it was calibrated with, by which they
are found again among all that its owner has. Photos that it was trained on look too normal to it to calibrate
with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from vaead.calibration.fitting import calibrate, reference_kind
from vaead.data.photos import pixel_digest
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError
from vaead.held_out.defect_trial import judge
from vaead.held_out.scanning import photos_with_defects, scan_held_out
from vaead.held_out.split import Images
from vaead.model.card import ModelCard
from vaead.model.model import Model
from vaead.scoring.image_scorer import Progress, check_images
from vaead.scoring.patches import unit

OnShare = Callable[[float], object]
"""Called now and then with the share of the photos that are scanned, to 1."""

Photos = Sequence[NDArray[np.generic]]


def digests_of(photos: Images) -> tuple[str, ...]:
    """Digests by which a model knows photos again; the same for bytes and fractions."""
    return tuple(pixel_digest(unit(np.asarray(photo))) for photo in photos)


def recalibrate(
    model: Model,
    photos: Photos,
    normal: Mapping[str, NDArray[np.generic]],
    *,
    even_if_unusual: bool = False,
    on_share: OnShare | None = None,
) -> Model:
    """Calibrate a model of photos with normal photos in addition to those of its last calibration.

    Args:
        model: The model, which stays as it is.
        photos: Photos among which are all that it was calibrated with; also those that it was trained on.
        normal: Photos to calibrate with from now on, by their names; those that it knows already are left
            out. Like `photos` (H, W), or (H, W, 3) in colours, scaled as the recipe says; uint8, or 0 to 1.
        even_if_unusual: Take photos that `unusual` finds, too.
        on_share: See `OnShare`.

    Returns:
        The model with other references, thresholds and trials on made-up defects.

    Raises:
        InvalidInputError: The model is of a dataset or does not say what it was calibrated with, photos are
            missing, or one of the others is unusual, unfit, or was trained on.
    """
    held_out = _held_out(model.card, photos)
    added = _unknown(model.card, photos, normal)
    _require_fit(model, added)
    if not even_if_unusual:
        _require_usual(model, added)
    return _calibrated(model, held_out, [unit(each) for each in added.values()], on_share)


def unusual(model: Model, normal: Mapping[str, NDArray[np.generic]]) -> dict[str, float]:
    """Photos that stand far above all normal ones, and are likely to be anomalous; each with its score.

    Far means three times as far from the middle one of normal scores as 9 of 10 of them are, and above 19 of
    20. The highest of them says less: one odd photo among them would let others pass.

    Raises:
        InvalidInputError: A photo does not fit the model.
    """
    _require_fit(model, normal)
    limit = unusual_above(model.card)
    scores = {name: float(model.anomaly_score(photo[None])[0]) for name, photo in normal.items()}
    return {name: score for name, score in scores.items() if score > limit}


def unusual_above(card: ModelCard) -> float:
    """Calibrated score above which `unusual` finds a photo."""
    middle, usual, high = (
        card.normal_scores.image_quantile("calibrated", level) for level in (0.5, 0.9, 0.95)
    )
    return max(middle + 3 * (usual - middle), high)


def _held_out(card: ModelCard, photos: Photos) -> list[NDArray[np.float32]]:
    """The photos that a model was calibrated with, in the order of its card."""
    if not card.recipe.for_photos:
        raise InvalidInputError(
            "model must be of photos, got one of a class of a dataset; train that again instead"
        )
    if not card.held_out:
        raise refusal("not_told")
    known = dict(zip(digests_of(photos), photos, strict=True))
    found = sum(digest in known for digest in card.held_out)
    if found < len(card.held_out):
        raise refusal("not_calibrated_with", wanted=len(card.held_out), found=found)
    return [unit(known[digest]) for digest in card.held_out]


def _unknown(
    card: ModelCard, photos: Photos, normal: Mapping[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    """Normal photos without those that the model was calibrated with already."""
    trained_on = set(digests_of(photos)) - set(card.held_out)
    found: dict[str, NDArray[np.generic]] = {}
    seen = set(card.held_out)
    for (name, photo), digest in zip(normal.items(), digests_of(list(normal.values())), strict=True):
        if digest in trained_on:
            raise refusal("trained_on", name=name)
        if digest not in seen:
            seen.add(digest)
            found[name] = photo
    if not found:
        raise refusal("none_new")
    return found


def _require_fit(model: Model, normal: Mapping[str, NDArray[np.generic]]) -> None:
    shape = model.card.image_shape
    for name, photo in normal.items():
        check_images(photo[None], model.networks[0].scorer.config.channels)
        if shape is not None and photo.shape[:2] != shape:
            sizes = (f"{width}x{height}" for height, width in (shape, photo.shape[:2]))
            raise refusal("not_aligned", name=name, **dict(zip(("wanted", "found"), sizes, strict=True)))


def _require_usual(model: Model, normal: Mapping[str, NDArray[np.generic]]) -> None:
    found = unusual(model, normal)
    if found:
        name, score = max(found.items(), key=lambda each: each[1])
        limit = unusual_above(model.card)
        raise refusal("unusual", count=len(found), name=name, score=f"{score:.3g}", limit=f"{limit:.3g}")


def _calibrated(model: Model, held_out: Photos, added: Photos, on_share: OnShare | None) -> Model:
    card = model.card
    # The same defects as at the end of the training, so that a model is not better or worse by other defects.
    made = photos_with_defects(held_out[: len(held_out) - card.added], card.recipe)
    photos = [*held_out, *added]
    every: Images = np.stack(photos) if card.recipe.source.aligned else photos
    scans = []
    for index, network in enumerate(model.networks):
        progress = _Shares(on_share, index, len(model.networks))
        scans.append(scan_held_out(network.scorer, every, made, progress.of_scan))
    kind = reference_kind(card.recipe.for_photos, card.recipe.source.aligned)
    found = calibrate(kind, [each.normal for each in scans], [each.made for each in scans])
    new_card = replace(
        card,
        normal_scores=found.normal_scores,
        trials=judge(made, found.changed_scores, found.normal_scores),
        held_out=(*card.held_out, *digests_of(added)),
        added=card.added + len(added),
        kinds=found.references[0].n_kinds,
    )
    pairs = zip(model.networks, found.references, strict=True)
    return Model(new_card, [network.with_reference(reference) for network, reference in pairs], model.windows)


class _Shares:
    """Progress of one network of several."""

    def __init__(self, on_share: OnShare | None, index: int, count: int) -> None:
        self._on_share = on_share
        self._index, self._count = index, count

    def of_scan(self, number: int, count: int) -> Progress:
        """See `ProgressOfScan`."""

        def report(done: int, total: int) -> None:
            if self._on_share is not None:
                self._on_share((self._index + (number + done / total) / count) / self._count)

        return report
