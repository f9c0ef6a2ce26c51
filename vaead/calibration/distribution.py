"""Base of the distributions that the calibrated score compares images with."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.scoring.scan import Scan


class Distribution:
    """A distribution fitted to normal images: a dataclass that holds arrays alone.

    Attributes:
        positive: Names of the arrays whose values are above 0.
    """

    positive: ClassVar[tuple[str, ...]]

    @classmethod
    @abstractmethod
    def fit(cls, scans: Sequence[Scan]) -> Self:
        """Fit to normal images, at least one."""

    @abstractmethod
    def shapes(self, network: NetworkConfig) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays for a network, by name."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted arrays by name."""
        return dict(vars(self))

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(inspect.signature(cls).parameters)

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Undo `arrays`."""
        return cls(**arrays)
