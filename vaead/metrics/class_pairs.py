"""The AUROC of every pair of classes of a dataset, as `vaead.zoo.pretrain` has measured it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from vaead.errors import ModelFormatError
from vaead.paths import AnyPath
from vaead.scoring.loss_terms import SCORES


def pairs_file(dataset: str, preset: str) -> PurePosixPath:
    """Path of the table of all pairs of a dataset, below the root of a store."""
    return PurePosixPath(dataset, f"{preset}.pairs.json")


@dataclass(frozen=True)
class Difference:
    """Comparison of two scores over all pairs of classes and all seeds.

    Attributes:
        pairs: Number of pairs, each seed counted.
        wins: Pairs with a higher AUROC of the first score.
        losses: Pairs with a higher AUROC of the second score.
        mean: Mean difference in AUROC.
    """

    pairs: int
    wins: int
    losses: int
    mean: float


@dataclass(frozen=True)
class Pairs:
    """AUROC of all pairs of classes on all test images.

    Attributes:
        measured: Day of the last model, ISO 8601.
        seeds: Seeds of the models.
        auroc: For each score (seeds, classes, classes), rows normal and columns anomalous classes; NaN on the
            diagonal and where there is no model.
    """

    measured: str
    seeds: tuple[int, ...]
    auroc: dict[str, NDArray[np.float64]]

    @classmethod
    def read(cls, file: AnyPath) -> Pairs | None:
        """Read a file of `vaead.zoo.pretrain.write_pairs`; None if there is none.

        Raises:
            ModelFormatError: It is damaged.
        """
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            seeds = tuple(sorted(int(seed) for seed in content["seeds"]))
            auroc = {
                score: np.array([content["seeds"][str(seed)][score] for seed in seeds], dtype=np.float64)
                for score in SCORES
            }
            if any(table.ndim != 3 or table.shape[1] != table.shape[2] for table in auroc.values()):
                raise ValueError("not square")
            return cls(str(content["measured"]), seeds, auroc)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise ModelFormatError(
                f"{file.name} must be a table of all pairs, got one that cannot be read ({error}); "
                "run python -m vaead pretrain again"
            ) from error

    def to_json(self) -> str:
        """The file that `read` reads."""
        seeds = {
            str(seed): {score: _rows(table[index]) for score, table in self.auroc.items()}
            for index, seed in enumerate(self.seeds)
        }
        return json.dumps({"measured": self.measured, "seeds": seeds})

    def updated(self, newer: Pairs) -> Pairs:
        """These pairs with the seeds of another measurement in place of the same seeds, or added."""
        kept = [index for index, seed in enumerate(self.seeds) if seed not in newer.seeds]
        seeds = [*(self.seeds[index] for index in kept), *newer.seeds]
        order = np.argsort(seeds)
        auroc = {
            score: np.concatenate([self.auroc[score][kept], table])[order]
            for score, table in newer.auroc.items()
        }
        return Pairs(max(self.measured, newer.measured), tuple(sorted(seeds)), auroc)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.auroc[SCORES[0]].shape[1])

    def mean(self, score: str, minus: str | None = None) -> NDArray[np.float64]:
        """AUROC of a score, or how much more it is than another: (classes, classes), mean of seeds."""
        values = self._values(score, minus)
        known = np.isfinite(values)
        count = known.sum(axis=0)
        total = np.where(known, values, 0.0).sum(axis=0)
        mean: NDArray[np.float64] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return mean

    def difference(self, score: str, minus: str) -> Difference:
        """Compare two scores pair by pair."""
        values = self._values(score, minus)
        known = values[np.isfinite(values)]
        return Difference(
            pairs=len(known),
            wins=int(np.count_nonzero(known > 0)),
            losses=int(np.count_nonzero(known < 0)),
            mean=float(known.mean()) if len(known) else 0.0,
        )

    def _values(self, score: str, minus: str | None) -> NDArray[np.float64]:
        return self.auroc[score] - self.auroc[minus] if minus else self.auroc[score]


def _rows(table: NDArray[np.float64]) -> list[list[float | None]]:
    """JSON has no NaN."""
    return [[value if np.isfinite(value) else None for value in row] for row in table.tolist()]
