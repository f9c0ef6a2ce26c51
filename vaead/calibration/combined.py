"""One score from several kinds of evidence: how surprising would an image be among normal ones?

Each kind is put on one scale by held-out normal images: z is its deviation in spreads, on a logarithmic
scale. The score of an image is the weighted mean of -log p, where p is the share of normal images that would
be as unusual if z followed a normal distribution. It is divided by what an image in the middle of normal ones
gets, so that it is about 1 for normal images.

Source: the sum of -log p of several tests, as in R. A. Fisher, "Statistical Methods for Research Workers",
1925, section 21.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from vaead.calibration.distribution import Distribution
from vaead.calibration.reference import Evidence
from vaead.calibration.robust import scale_of_logarithms
from vaead.config import NetworkConfig
from vaead.scoring.term_maps import CalibratedScore

_LEAST_EVIDENCE = 1e-6
_FAR = 30.0


@dataclass(frozen=True)
class CombinedReference:
    """Base of the references: distributions, each of which gives one kind of evidence, and their scales.

    Fields of a subclass are the distributions named in `PARTS`, then its own arrays.

    Attributes:
        middle: Median of the logarithm of each evidence, (evidences,).
        spread: Its robust standard deviation, (evidences,), above 0.
    """

    PARTS: ClassVar[dict[str, type[Distribution]]]
    """The distributions in the order of their evidence; the last one is that of the whole image."""
    WEIGHTS: ClassVar[tuple[float, ...]]
    """Weight of each evidence."""

    middle: NDArray[np.float32]
    spread: NDArray[np.float32]

    @property
    def n_kinds(self) -> int:
        """See `NormalReference`."""
        return 1

    @classmethod
    def positive(cls) -> set[str]:
        """See `NormalReference`."""
        return {"spread", *(f"{name}.{key}" for name, kind in cls.PARTS.items() for key in kind.positive)}

    @classmethod
    def no_scale(cls) -> dict[str, Any]:
        """A scale that changes nothing, until `scaled_by` gives another one."""
        size = len(cls.PARTS)
        return {"middle": np.zeros(size, np.float32), "spread": np.ones(size, np.float32)}

    def scaled_by(self, normal: Sequence[Evidence]) -> Self:
        """See `NormalReference`."""
        middle, spread = scale_of_logarithms(logarithms(normal))
        return replace(self, middle=middle, spread=spread)

    def calibrated(self, evidence: Evidence) -> CalibratedScore:
        """See `NormalReference`."""
        surprise = _surprise(self._deviations(evidence)) * np.asarray(self.WEIGHTS)
        score = surprise.sum(axis=1) / (sum(self.WEIGHTS) * np.log(2))
        by_whole = surprise.argmax(axis=1) == surprise.shape[1] - 1
        return CalibratedScore(score.astype(np.float32), evidence.maps, by_whole)

    def _deviations(self, evidence: Evidence) -> NDArray[np.float32]:
        """Z of each evidence of images, (N, evidences)."""
        return np.asarray((logarithms([evidence]) - self.middle) / self.spread)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `NormalReference`."""
        parts = {
            f"{name}.{key}": array for name in self.PARTS for key, array in self._part(name).arrays().items()
        }
        return {name: getattr(self, name) for name in self._own()} | parts

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """See `NormalReference`."""
        parts = (f"{name}.{key}" for name, kind in cls.PARTS.items() for key in kind.array_names())
        return (*cls._own(), *parts)

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """See `NormalReference`."""
        found: dict[str, Any] = {name: arrays[name] for name in cls._own()}
        for name, kind in cls.PARTS.items():
            found[name] = kind.from_arrays({key: arrays[f"{name}.{key}"] for key in kind.array_names()})
        return cls(**found)

    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """See `NormalReference`."""
        own = {"middle": (len(self.PARTS),), "spread": (len(self.PARTS),)}
        return own | {
            f"{name}.{key}": shape
            for name in self.PARTS
            for key, shape in self._part(name).shapes(network).items()
        }

    @classmethod
    def _own(cls) -> tuple[str, ...]:
        return tuple(each.name for each in fields(cls) if each.name not in cls.PARTS)

    def _part(self, name: str) -> Distribution:
        part: Distribution = getattr(self, name)
        return part


def logarithms(found: Sequence[Evidence]) -> NDArray[np.float32]:
    """Logarithms of the evidence of all images, (N, evidences)."""
    values = np.concatenate([each.values for each in found])
    return np.asarray(np.log(np.maximum(values, _LEAST_EVIDENCE)))


def _surprise(z: NDArray[np.float32]) -> NDArray[np.float64]:
    """-log p, where p is the share of a normal distribution above z; any shape.

    As SciPy's `log_ndtr`, which takes half a second to import where a page waits for its first picture.
    """
    values = z.astype(np.float64)
    near = np.minimum(values, _FAR)
    shares = np.vectorize(math.erfc, otypes=[np.float64])(near / math.sqrt(2)) / 2
    # Far out, p = exp(-z^2 / 2) / (z sqrt(2 pi)) but for a thousandth.
    far = np.maximum(values, _FAR)
    tail = far**2 / 2 + np.log(far * math.sqrt(2 * math.pi))
    return np.where(values < _FAR, -np.log(shares), tail)
