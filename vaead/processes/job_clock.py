"""How far a training is, from the events of its process."""

from __future__ import annotations

from dataclasses import dataclass, field

from vaead.processes.durations import Durations

_ALMOST = 0.9
"""Of an epoch or a phase that takes longer than expected, at most so much counts as done."""
_TRUSTED = 0.3
"""From this share on, what is left follows from what the training has taken so far alone."""


@dataclass
class JobClock:
    """Phases of a training that runs. Times are on the monotonic clock.

    Attributes:
        expected: How long the phases will take.
        epochs: Epochs of all networks.
        networks: Number of networks.
        start_s: When the process was started.
    """

    expected: Durations
    epochs: int
    networks: int
    start_s: float
    _last_s: float = field(init=False)
    _spent: dict[str, float] = field(init=False)
    _epochs_done: int = 0
    _calibrated: float = 0.0

    def __post_init__(self) -> None:
        self._last_s = self.start_s
        self._spent = dict.fromkeys(("start", "epochs", "calibration"), 0.0)

    def epoch(self, done: int, elapsed_s: float, now_s: float) -> None:
        """An epoch has ended, `elapsed_s` after the first one began."""
        if not self._epochs_done:
            self._spend("start", max(self._last_s, now_s - elapsed_s))
        self._spend("epochs", now_s)
        # The networks before this one have been calibrated.
        self._calibrated = float(int(self.networks * (done - 1) / self.epochs))
        self._epochs_done = done

    def calibration(self, share: float, now_s: float) -> None:
        """So much of the calibration of a network is done, 0 to 1."""
        self._spend("calibration", now_s)
        self._calibrated = int(self._calibrated) + min(share, _ALMOST)

    def restart(self, now_s: float) -> None:
        """The training begins again; all that it has taken is part of the start."""
        self._epochs_done, self._calibrated = 0, 0.0
        self._last_s = now_s

    def measured(self, now_s: float) -> Durations:
        """What a training has taken that ends now."""
        self._spend("calibration", now_s)
        return Durations(self._spent["start"], self._spent["epochs"], self._spent["calibration"])

    def share(self, now_s: float) -> float:
        """What is done, as a share of the expected time, 0 to 1."""
        planned, since_s = self.expected, now_s - self._last_s
        if not self._epochs_done:
            done_s = min(since_s, _ALMOST * planned.start_s)
        else:
            epoch_s = planned.epochs_s / self.epochs
            under_way = min(since_s / epoch_s, _ALMOST) if self._epochs_done < self.epochs else 0.0
            done_s = (
                planned.start_s
                + epoch_s * (self._epochs_done + under_way)
                + planned.calibration_s * self._calibrated / self.networks
            )
        return min(done_s / planned.total_s, 1.0)

    def remaining_s(self, now_s: float) -> float:
        """Seconds to the end: as expected at first, later at the speed so far."""
        elapsed_s, share = now_s - self.start_s, self.share(now_s)
        trust = min(share / _TRUSTED, 1.0)
        so_far_s = elapsed_s / share if share > 0 else 0.0
        total_s = (1 - trust) * self.expected.total_s + trust * so_far_s
        return max(total_s - elapsed_s, 0.0)

    def _spend(self, phase: str, until_s: float) -> None:
        self._spent[phase] += until_s - self._last_s
        self._last_s = until_s
