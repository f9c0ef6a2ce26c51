"""How long trainings take."""

from pathlib import Path

import pytest

from vaead.processes.durations import DurationLog, Durations
from vaead.processes.job_clock import JobClock
from vaead.recipe import ClassSource, PhotoSource, Recipe

RECIPE = Recipe.from_preset("article", ClassSource("mnist", 1))
SLOW = Durations(20.0, 60.0, 20.0)


def _clock(networks: int = 1) -> JobClock:
    return JobClock(SLOW, epochs=4, networks=networks, start_s=1000.0)


def test_more_of_anything_takes_longer() -> None:
    base = Durations.of(RECIPE, 1000)
    assert Durations.of(Recipe.from_preset("article", ClassSource("mnist", 1), epochs=20), 1000).epochs_s == (
        pytest.approx(2 * base.epochs_s)
    )
    assert Durations.of(RECIPE, 3000).calibration_s == pytest.approx(3 * base.calibration_s)
    photos = [Recipe.from_preset("industrial", PhotoSource(), patch_size=size) for size in (16, 32)]
    assert Durations.of(photos[1], 0).epochs_s > Durations.of(photos[0], 0).epochs_s


def test_last_training_of_a_preset_counts(tmp_path: Path) -> None:
    log = DurationLog(tmp_path / "not yet there")
    plain = log.expected(RECIPE, 1000)
    log.learn(RECIPE, 1000, Durations(2 * plain.start_s, 3 * plain.epochs_s, plain.calibration_s))
    other = Recipe.from_preset("multi-scale", ClassSource("mnist", 1))
    for known in (log, DurationLog(tmp_path / "not yet there")):
        for recipe in (RECIPE, other):  # of another preset nothing is known but the speed of the machine
            found, own = known.expected(recipe, 5000), Durations.of(recipe, 5000)
            assert found.start_s == pytest.approx(2 * own.start_s)
            assert found.epochs_s == pytest.approx(3 * own.epochs_s)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"article": {"start_s": "x"}}', b"\xff"])
def test_damaged_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".durations.json").write_bytes(content)
    assert DurationLog(tmp_path).expected(RECIPE, 9) == Durations.of(RECIPE, 9)


def test_absurd_factors_are_bounded(tmp_path: Path) -> None:
    log = DurationLog(tmp_path)
    log.learn(RECIPE, 0, Durations(1e9, 1e9, 0.0))
    assert log.expected(RECIPE, 0).total_s <= 20 * Durations.of(RECIPE, 0).total_s


def test_clock_goes_through_the_phases() -> None:
    clock = _clock()
    assert clock.share(1000.0) == 0
    assert clock.remaining_s(1000.0) == 100
    assert clock.share(1010.0) == pytest.approx(0.1)
    clock.epoch(1, elapsed_s=15.0, now_s=1035.0)
    assert clock.share(1035.0) == pytest.approx(0.35)
    assert clock.remaining_s(1035.0) == pytest.approx(65)
    for done, now_s in ((2, 1050.0), (3, 1065.0), (4, 1080.0)):
        clock.epoch(done, elapsed_s=15.0 * done, now_s=now_s)
    clock.calibration(0.5, 1090.0)
    assert clock.share(1090.0) == pytest.approx(0.9)
    assert clock.measured(1110.0) == Durations(20.0, 60.0, 30.0)


def test_training_that_is_slower_than_expected_never_stands_at_the_end() -> None:
    clock = _clock()
    assert clock.share(1500.0) < 0.2
    clock.epoch(1, elapsed_s=100.0, now_s=1600.0)
    assert clock.share(5000.0) < 0.5
    assert clock.remaining_s(1600.0) > 300


def test_calibration_between_networks_counts() -> None:
    clock = _clock(networks=2)
    clock.epoch(1, 10.0, 1030.0)
    clock.epoch(2, 20.0, 1040.0)
    clock.calibration(1.0, 1050.0)
    clock.epoch(3, 40.0, 1060.0)
    assert clock.share(1060.0) == pytest.approx((20 + 45 + 10) / 100)


def test_training_that_begins_again_is_at_its_start() -> None:
    clock = _clock()
    clock.epoch(3, 30.0, 1050.0)
    clock.restart(1060.0)
    assert clock.share(1060.0) == 0
