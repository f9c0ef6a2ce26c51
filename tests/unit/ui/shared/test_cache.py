import gc
import threading
import weakref
from collections.abc import Callable

import pytest

from vaead.data.datasets import Dataset
from vaead.errors import DataUnavailableError
from vaead.ui.shared import cache
from vaead.ui.shared.cache import DatasetSource


class Held:
    """Something large that a page run holds."""


def ignore(done: int, total: int) -> None:
    pass


def test_dataset_that_could_not_be_had_is_not_asked_for_again_and_keeps_nothing_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def load(name: str, _: Callable[[int, int], None]) -> None:
        asked.append(name)
        raise DataUnavailableError("mnist could not be downloaded; try again")

    monkeypatch.setattr(cache, "load_dataset", load)
    source = DatasetSource()

    def run() -> weakref.ref[Held]:
        held = Held()
        with pytest.raises(DataUnavailableError, match="mnist could not be downloaded; try again"):
            source.load("mnist", ignore)
        return weakref.ref(held)

    runs = [run() for _ in range(3)]
    gc.collect()
    assert [each() for each in runs] == [None] * 3
    assert asked == ["mnist"]
    source.retry("mnist")
    run()
    assert asked == ["mnist"] * 2


def test_dataset_that_comes_late_is_there_for_the_next_run(
    monkeypatch: pytest.MonkeyPatch, digits: Dataset
) -> None:
    downloaded, asked = threading.Event(), 0

    def load(_name: str, _: Callable[[int, int], None]) -> Dataset:
        nonlocal asked
        asked += 1
        assert downloaded.wait(30)
        return digits

    monkeypatch.setattr(cache, "load_dataset", load)
    monkeypatch.setattr(cache, "_MOMENT_S", 0.01)
    source = DatasetSource()
    assert source.load_soon("mnist") is None
    assert source.load_soon("mnist") is None
    downloaded.set()
    monkeypatch.setattr(cache, "_MOMENT_S", 30)
    source._coming["mnist"]._thread.join(30)
    assert source.load_soon("mnist") is digits
    assert asked == 2


def test_dataset_that_cannot_be_had_is_none_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_name: str, _: Callable[[int, int], None]) -> Dataset:
        raise DataUnavailableError("mnist could not be downloaded; try again")

    monkeypatch.setattr(cache, "load_dataset", load)
    assert DatasetSource().load_soon("mnist") is None
