"""A report of predictions: one HTML file with its pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from vaead.calibration.thresholds import NormalScores
from vaead.config import NetworkConfig
from vaead.data.photos import Photo, Rejected
from vaead.i18n.format import percent
from vaead.i18n.texts import Texts
from vaead.inference.prediction import Prediction, Thresholds
from vaead.model.card import ModelCard
from vaead.plots.overlay import draw_overlay, draw_photo, to_jpeg
from vaead.scoring.loss_terms import SCORES
from vaead.scoring.regions import Region, area_share

SHOWN = 200
"""Images with pictures in a report; each takes about 50 KB."""
LISTED = 10_000
"""Further images of which a report has the numbers."""

_TEMPLATE = Path(__file__).with_name("html_report.html")


@dataclass(frozen=True)
class Drawing:
    """Pictures of one image for a report.

    Attributes:
        photo: JPEG of the image as the model sees it.
        overlay: JPEG of the image with map and mask of the score that decides.
        regions: Regions of this mask, in pixels of the image as the model sees it.
    """

    photo: bytes
    overlay: bytes
    regions: tuple[Region, ...]


def draw(prediction: Prediction, normal_scores: NormalScores) -> Drawing:
    """Draw a prediction whose arrays are there."""
    score = prediction.main_score
    mask, image = prediction.mask(score), prediction.image
    assert image is not None, "arrays must be there"
    picture = draw_photo(image)
    overlay = draw_overlay(picture, prediction.anomaly_map(score), normal_scores.heat_range(score), mask)
    return Drawing(to_jpeg(picture), to_jpeg(overlay), prediction.find_regions(score, normal_scores))


def ranked(predictions: Iterable[Prediction]) -> list[Prediction]:
    """The most anomalous first, those without a calibrated score last."""

    def key(each: Prediction) -> tuple[bool, float]:
        score = each.main_score
        return score != "calibrated", -each.scores[score]

    return sorted(predictions, key=key)


def with_drawings(
    predictions: Iterable[Prediction], predict: Callable[[Sequence[Photo]], Iterable[Prediction | Rejected]]
) -> list[Prediction]:
    """Predict the most anomalous photos again that have no drawing yet.

    Args:
        predictions: Predictions of all photos.
        predict: Gives for each photo the prediction with its drawing, or why there is none.

    Returns:
        All predictions, the most anomalous first.
    """
    found = ranked(predictions)
    missing = [number for number, each in enumerate(found[:SHOWN]) if each.drawing is None]
    for number, again in zip(missing, predict([found[number].photo for number in missing]), strict=True):
        if isinstance(again, Prediction):
            found[number] = again
    return found


class Report:
    """Predictions of one model as a page."""

    def __init__(self, card: ModelCard, false_alarm_rate: float, texts: Texts) -> None:
        """Begin a report.

        Args:
            card: Card of the model.
            false_alarm_rate: False-alarm rate of the decisions.
            texts: The language.
        """
        self._card = card
        self._rate = false_alarm_rate
        self._limits = Thresholds.from_rate(card.normal_scores, false_alarm_rate).image
        self._texts = texts

    def html(self, predictions: Sequence[Prediction]) -> str:
        """The page; those with a drawing are shown with pictures, all others listed."""
        found = ranked(predictions)
        shown = [(each, each.drawing) for each in found if each.drawing is not None]
        rest = [each for each in found if each.drawing is None]
        texts = self._texts
        return _template().render(
            language=texts.language,
            title=texts("report.title"),
            summary=self._summary(found),
            facts=self._facts(),
            score_names={name: texts(f"score.{name}") for name in SCORES},
            columns=[texts("report.image"), texts("report.decision"), texts("report.threshold")],
            thresholds={name: f"{self._limits[name]:.4g}" for name in SCORES},
            flagged_title=texts("report.flagged"),
            flagged={name: self._flagged(found, name) for name in SCORES},
            legend=texts("report.legend", rate=percent(self._rate)),
            shown=[self._shown(*each) for each in shown],
            rest_title=texts("report.rest", count=len(rest)),
            rest=[self._row(each) for each in rest[:LISTED]],
            left_out=texts("report.left_out", count=len(rest) - LISTED) if len(rest) > LISTED else "",
        )

    def _flagged(self, predictions: Sequence[Prediction], score: str) -> str:
        flags = [each.flagged[score] for each in predictions if score in each.scores]
        return self._texts("report.of", count=sum(flags), total=len(flags))

    def _summary(self, predictions: Sequence[Prediction]) -> str:
        flagged = sum(each.flagged[each.main_score] for each in predictions)
        return self._texts("report.summary", flagged=flagged, count=len(predictions))

    def _patches(self, network: NetworkConfig) -> str:
        """Patch size and stride of a network."""
        texts, size = self._texts, _pixels((network.patch_size,) * 2)
        return texts("report.patch_value", size=size, stride=network.stride)

    def _facts(self) -> dict[str, str]:
        """Facts about the model, by title."""
        texts, recipe, card = self._texts, self._card.recipe, self._card
        photos = recipe.source
        size = texts("report.any_size") if card.image_shape is None else _pixels(card.image_shape)
        color = texts("own.rgb") if photos.color == "rgb" else texts("own.luminance")
        return {
            texts("report.model"): recipe.preset if recipe.for_photos else str(recipe.path),
            texts("report.trained"): f"{card.created[:10]}, vaead {card.versions['vaead']}",
            texts("report.patches"): "; ".join(self._patches(network) for network in recipe.networks),
            texts("report.photos"): texts(
                "report.photo_value", scale=f"{photos.scale:g}", color=color, size=size
            ),
            texts("report.calibration_images"): str(card.normal_scores.n_images),
            texts("report.rate"): percent(self._rate),
        }

    def _row(self, prediction: Prediction) -> dict[str, Any]:
        """Values of the template for any image."""
        texts, scores = self._texts, prediction.scores
        flagged = prediction.flagged[prediction.main_score]
        return {
            "name": prediction.photo.name,
            "flagged": flagged,
            "verdict": texts("report.anomalous") if flagged else texts("report.normal"),
            "scores": {name: f"{scores[name]:.4g}" if name in scores else "–" for name in SCORES},
            "score_flagged": prediction.flagged,
        }

    def _shown(self, prediction: Prediction, drawing: Drawing) -> dict[str, Any]:
        """Values of the template for an image with pictures."""
        texts, score, name = self._texts, prediction.main_score, prediction.photo.name
        values = {
            "score": texts(f"score.{score}"),
            "value": f"{prediction.scores[score]:.4g}",
            "limit": f"{self._limits[score]:.4g}",
        }
        flagged, regions = prediction.flagged[score], self._regions(drawing.regions, prediction.shape)
        decision = texts("report.above", **values) if flagged else texts("report.below", **values)
        whole = texts("own.by_whole") if flagged and prediction.by_whole and score == "calibrated" else ""
        return self._row(prediction) | {
            "photo": _data_url(drawing.photo),
            "photo_alt": texts("report.photo_alt", name=name),
            "overlay": _data_url(drawing.overlay),
            "overlay_alt": texts("report.overlay_alt", name=name, regions=regions),
            "words": " ".join(filter(None, (decision, whole, regions))),
        }

    def _regions(self, regions: Sequence[Region], shape: tuple[int, int]) -> str:
        """The regions of an image of this shape, in words."""
        texts = self._texts
        if not regions:
            return texts("report.no_region")
        share = f"{100 * area_share(regions, shape):.2g}"
        column, row = max(regions, key=lambda region: region.area).center
        down, right = (
            min(2, int(3 * (at + 0.5) / side)) for at, side in zip((row, column), shape, strict=True)
        )
        place = texts(f"report.place_{down}{right}")
        if len(regions) == 1:
            return texts("report.region", place=place, share=share)
        return texts("report.regions", count=len(regions), place=place, share=share)


def _pixels(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]} px"


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
