import json
from pathlib import Path

import numpy as np
import pytest

from vaead.errors import ModelFormatError
from vaead.metrics.class_pairs import Difference, Pairs


def table(old: float, new: float) -> dict[str, list[list[float | None]]]:
    return {
        "old": [[None, old], [0.5, None]],
        "new": [[None, new], [0.5, None]],
        "calibrated": [[None, 1.0], [None, None]],
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "article.pairs.json"
    seeds = {"10": table(0.5, 0.75), "2": table(0.75, 0.5)}
    file.write_text(json.dumps({"measured": "2026-01-02", "seeds": seeds}))
    return file


@pytest.fixture
def pairs(file: Path) -> Pairs:
    pairs = Pairs.read(file)
    assert pairs is not None
    return pairs


def test_says_when_and_with_which_seeds(pairs: Pairs) -> None:
    assert (pairs.measured, pairs.seeds, pairs.classes) == ("2026-01-02", (2, 10), 2)


def test_mean_is_over_the_seeds(pairs: Pairs) -> None:
    np.testing.assert_array_equal(pairs.mean("old"), [[np.nan, 0.625], [0.5, np.nan]])


def test_pairs_without_a_model_stay_empty(pairs: Pairs) -> None:
    expected = [[np.nan, 0.375], [np.nan, np.nan]]
    np.testing.assert_array_equal(pairs.mean("calibrated", "new"), expected)


def test_difference_counts_each_pair_and_seed(pairs: Pairs) -> None:
    assert pairs.difference("new", "old") == Difference(pairs=4, wins=1, losses=1, mean=0.0)
    assert pairs.difference("calibrated", "new") == Difference(pairs=2, wins=2, losses=0, mean=0.375)


def test_no_file_is_none(tmp_path: Path) -> None:
    assert Pairs.read(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"measured": "2026", "seeds": {}}',
        '{"measured": "2026", "seeds": {"0": {"old": [[1]], "new": [[1]]}}}',
        '{"measured": "2026", "seeds": {"0": {"old": [[1, 2]], "new": [[1, 2]], "calibrated": [[1, 2]]}}}',
    ],
)
def test_damaged_file_is_named(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ModelFormatError, match=r"article\.pairs\.json must be a table of all pairs"):
        Pairs.read(file)
