"""How long trainings take: from the size of the task, and from what this machine has taken for others."""

from __future__ import annotations

import contextlib
import math
import threading
from pathlib import Path

import msgspec

from vaead.config import Record
from vaead.paths import write_whole
from vaead.recipe import Recipe

_FILE = ".durations.json"

# Of two cores, see `Durations.of`; only the first training on a machine is expected by them alone.
_IMPORT_S, _COMPILE_S = 5.0, 5.0
_CROP_S, _VALUE_S = 13e-6, 1e-7
_WINDOW_S = 25e-6
_MADE_WINDOWS = 100_000
"""Windows in photos with made-up defects, see `vaead.held_out.defect_trial`."""
_FACTORS = (0.05, 20.0)
"""A machine that seems to be further off than this has slept, or somebody has edited the file."""


class Durations(Record, frozen=True):
    """Seconds of the phases of a training.

    Attributes:
        start_s: Until the first epoch begins: imports, images, compilation.
        epochs_s: All epochs of all networks.
        calibration_s: All the rest: export, scores of held-out images, thresholds, storing.
    """

    start_s: float
    epochs_s: float
    calibration_s: float

    @property
    def total_s(self) -> float:
        """The whole training."""
        return self.start_s + self.epochs_s + self.calibration_s

    @classmethod
    def of(cls, recipe: Recipe, windows: int) -> Durations:
        """The durations on two cores.

        Args:
            recipe: What is trained.
            windows: Windows of all networks in the held-out images.
        """
        networks, train = recipe.networks, recipe.train
        crop_s = sum(_CROP_S + _VALUE_S * network.patch_values for network in networks)
        made = _MADE_WINDOWS * len(networks) if recipe.for_photos else 0
        return cls(
            _IMPORT_S + _COMPILE_S * len(networks),
            train.epochs * train.crops * crop_s,
            _WINDOW_S * (windows + made),
        )


class DurationLog:
    """What trainings have taken on this machine, by preset, kept in a file. Any thread may use it.

    For each phase it keeps how many times as long the last training took as `Durations.of` says.
    """

    def __init__(self, folder: Path | None) -> None:
        """Read the file of a folder; without one, or without a sound file, nothing is known yet."""
        self._path = None if folder is None else folder / _FILE
        self._lock = threading.Lock()
        self._factors: dict[str, Durations] = {}
        if self._path is not None:
            with contextlib.suppress(OSError, ValueError):
                self._factors = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Durations])

    def expected(self, recipe: Recipe, windows: int) -> Durations:
        """How long a training will take here, see `Durations.of`."""
        with self._lock:
            factors = self._factors.get(recipe.preset) or next(iter(self._factors.values()), None)
        plain = Durations.of(recipe, windows)
        if factors is None:
            return plain
        low, high = _FACTORS
        return Durations(
            *(
                seconds * (min(max(factor, low), high) if math.isfinite(factor) else 1.0)
                for seconds, factor in zip(_seconds(plain), _seconds(factors), strict=True)
            )
        )

    def learn(self, recipe: Recipe, windows: int, measured: Durations) -> None:
        """Remember a training that has reached its end."""
        plain = Durations.of(recipe, windows)
        factors = Durations(
            *(
                took_s / max(plain_s, 1e-3)
                for took_s, plain_s in zip(_seconds(measured), _seconds(plain), strict=True)
            )
        )
        with self._lock:
            self._factors[recipe.preset] = factors
            if self._path is not None:
                # Only an estimate is lost where the folder cannot be written.
                with contextlib.suppress(OSError):
                    write_whole(self._path, msgspec.json.encode(self._factors))


def _seconds(durations: Durations) -> tuple[float, float, float]:
    return durations.start_s, durations.epochs_s, durations.calibration_s
