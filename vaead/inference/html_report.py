"""A report of judged photos: one HTML file with its pictures inside."""

from __future__ import annotations

import base64
import heapq
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.i18n.texts import Texts
from vaead.model.card import ModelCard
from vaead.model.prediction import Judgement
from vaead.plots.overlay import Regions, draw_overlay, draw_photo, to_jpeg
from vaead.scoring.loss_terms import SCORES

SHOWN = 200
"""Images with pictures in a report; each takes about 50 KB."""
LISTED = 10_000
"""Further images of which a report has the numbers."""

_TEMPLATE = Path(__file__).with_name("html_report.html")

Rank = tuple[bool, float]
"""The higher, the earlier in a report: the most anomalous first, those without the calibrated score last."""
Key = tuple[bool, float, int]


@dataclass(frozen=True)
class Entry:
    """What a report says of one image; small, so that it can come from another process.

    Attributes:
        scores: See `Judgement`.
        flagged: See there.
        regions: Of the score that decides.
        pictures: Photo and overlay as URLs that hold them; None where no report would show them.
    """

    scores: dict[str, float]
    flagged: dict[str, bool]
    regions: Regions
    pictures: tuple[str, str] | None

    @classmethod
    def of(
        cls, card: ModelCard, photo: NDArray[np.generic], judgement: Judgement, above: Rank | None = None
    ) -> Entry:
        """Look at a photo and draw it.

        Args:
            card: Of the model.
            photo: (H, W) or (H, W, 3), uint8 or 0 to 1, as the model saw it.
            judgement: What the model says.
            above: Draw no picture of a photo up to here; see `Report.lowest_shown`.
        """
        main = main_score(judgement.scores)
        mask, pictures = judgement.masks[main], None
        if above is None or _rank(judgement.scores) > above:
            picture = draw_photo(photo)
            overlay = draw_overlay(picture, judgement.maps[main], card.normal_scores.heat_range(main), mask)
            pictures = _data_url(picture), _data_url(overlay)
        return cls(judgement.scores, judgement.flagged, Regions.of(mask), pictures)


@dataclass(frozen=True)
class _Row:
    """What the report says of one image, without its pictures."""

    key: Key
    name: str
    scores: dict[str, float]
    flagged: dict[str, bool]
    regions: Regions

    @property
    def main(self) -> str:
        return main_score(self.scores)


def main_score(scores: dict[str, float]) -> str:
    """The name of the score that decides: calibrated, or new for an image that has no such score."""
    return "calibrated" if "calibrated" in scores else "new"


def _rank(scores: dict[str, float]) -> Rank:
    main = main_score(scores)
    return main == "calibrated", scores[main]


class Report:
    """Gathers judged photos one after another; only the pictures of the most anomalous ones are kept."""

    def __init__(self, card: ModelCard, false_alarm_rate: float, texts: Texts, shown: int = SHOWN) -> None:
        """Begin a report.

        Args:
            card: Of the model.
            false_alarm_rate: At which photos are judged.
            texts: The language.
            shown: Number of images with pictures.
        """
        self._card = card
        self._rate = false_alarm_rate
        self._texts = texts
        self._shown = shown
        self._rows: list[_Row] = []
        self._pictures: list[tuple[Key, str, str]] = []

    def add(self, name: str, photo: NDArray[np.generic], judgement: Judgement) -> None:
        """Add a photo.

        Args:
            name: What the user calls it.
            photo: (H, W) or (H, W, 3), uint8 or 0 to 1, as the model saw it.
            judgement: What the model says.
        """
        self.add_entry(name, Entry.of(self._card, photo, judgement, self.lowest_shown))

    def add_entry(self, name: str, entry: Entry) -> None:
        """Add a photo that another process has looked at."""
        key = (*_rank(entry.scores), -len(self._rows))  # equal ones as they came
        self._rows.append(_Row(key, name, entry.scores, entry.flagged, entry.regions))
        if entry.pictures is not None:
            heapq.heappush(self._pictures, (key, *entry.pictures))
            if len(self._pictures) > self._shown:
                heapq.heappop(self._pictures)

    @property
    def lowest_shown(self) -> Rank | None:
        """What the next photo must exceed to be shown with pictures; None while there is room."""
        return self._pictures[0][0][:2] if len(self._pictures) >= self._shown else None

    def html(self) -> str:
        """The report so far."""
        rows = sorted(self._rows, key=lambda row: row.key, reverse=True)
        pictures = {key: urls for key, *urls in self._pictures}
        texts, rest = self._texts, rows[len(pictures) :]
        return _template().render(
            language=texts.language,
            title=texts("report.title"),
            summary=self._summary(),
            facts=self._facts(),
            score_names={name: texts(f"score.{name}") for name in SCORES},
            columns=[texts("report.image"), texts("report.decision"), texts("report.threshold")],
            thresholds={name: f"{self._limit(name):.4g}" for name in SCORES},
            flagged_title=texts("report.flagged"),
            flagged={name: self._flagged(name) for name in SCORES},
            legend=texts("report.legend", rate=_percent(self._rate)),
            shown=[self._card_of(row, *pictures[row.key]) for row in rows[: len(pictures)]],
            rest_title=texts("report.rest", count=len(rest)),
            rest=[self._row(row) for row in rest[:LISTED]],
            left_out=texts("report.left_out", count=len(rest) - LISTED) if len(rest) > LISTED else "",
        )

    def _limit(self, score: str) -> float:
        return self._card.normal_scores.threshold_value(score, self._rate)

    def _flagged(self, score: str) -> str:
        texts, judged = self._texts, [row.flagged[score] for row in self._rows if score in row.flagged]
        return texts("report.of", count=sum(judged), total=len(judged))

    def _summary(self) -> str:
        texts, flagged = self._texts, sum(row.flagged[row.main] for row in self._rows)
        return texts("report.summary", flagged=flagged, count=len(self._rows))

    def _patches(self, network: NetworkConfig) -> str:
        """What a network sees of an image."""
        texts, size = self._texts, _pixels((network.patch_size,) * 2)
        return texts("report.patch_value", size=size, stride=network.stride)

    def _facts(self) -> dict[str, str]:
        """What is known of the model, by title."""
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
            texts("report.held_out"): str(card.normal_scores.n_images),
            texts("report.rate"): _percent(self._rate),
        }

    def _row(self, row: _Row) -> dict[str, Any]:
        """What the template shows of every image."""
        texts, scores = self._texts, row.scores
        flagged = row.flagged[row.main]
        return {
            "name": row.name,
            "flagged": flagged,
            "verdict": texts("report.anomalous") if flagged else texts("report.normal"),
            "scores": {name: f"{scores[name]:.4g}" if name in scores else "–" for name in SCORES},
            "score_flagged": row.flagged,
        }

    def _card_of(self, row: _Row, photo: str, overlay: str) -> dict[str, Any]:
        """What it shows of images with pictures."""
        texts = self._texts
        values = {
            "score": texts(f"score.{row.main}"),
            "value": f"{row.scores[row.main]:.4g}",
            "limit": f"{self._limit(row.main):.4g}",
        }
        flagged = row.flagged[row.main]
        decision = texts("report.above", **values) if flagged else texts("report.below", **values)
        regions = self._regions(row.regions)
        alt = {"photo_alt": texts("report.photo_alt", name=row.name)}
        alt["overlay_alt"] = texts("report.overlay_alt", name=row.name, regions=regions)
        return self._row(row) | alt | {"photo": photo, "overlay": overlay, "words": f"{decision} {regions}"}

    def _regions(self, regions: Regions) -> str:
        """The regions that stand out, in words."""
        texts, share = self._texts, f"{100 * regions.share:.2g}"
        if regions.place is None:
            return texts("report.no_region")
        place = texts(f"report.place_{regions.place[0]}{regions.place[1]}")
        if regions.count == 1:
            return texts("report.region", place=place, share=share)
        return texts("report.regions", count=regions.count, place=place, share=share)


def _pixels(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]} px"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _data_url(picture: NDArray[np.uint8]) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(to_jpeg(picture)).decode()}"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
