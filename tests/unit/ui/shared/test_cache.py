import gc
import weakref
from collections.abc import Callable

import pytest

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
