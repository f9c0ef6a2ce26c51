from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from vaead.data.datasets import Dataset
from vaead.model.folder import save_model
from vaead.model.model import Model
from vaead.model.split_scores import SplitScores
from vaead.scoring.loss_terms import SCORES


@pytest.fixture
def folder(model: Model, digits: Dataset, tmp_path: Path) -> Path:
    """A folder beside which the scores of some images lie."""
    images = digits.test.images[:40]
    save_model(tmp_path / "article", model)
    SplitScores.compute(model, images).write(tmp_path / "article", images)
    return tmp_path / "article"


def test_scores_are_those_of_the_model(folder: Path, model: Model, digits: Dataset) -> None:
    images = digits.test.images[:40]
    found = SplitScores.read(folder, images)
    assert found is not None
    assert (tuple(found.image), tuple(found.largest)) == (SCORES, SCORES)
    terms = model.term_maps(images)
    for score in SCORES:
        np.testing.assert_array_equal(found.by("score")[score], terms.image_scores(score))
        np.testing.assert_array_equal(found.by("window")[score], terms.window_max(score))


def test_scores_of_another_model_or_of_other_images_are_not_taken(
    folder: Path, model: Model, multi_scale: Model, digits: Dataset
) -> None:
    images = digits.test.images[:40]
    assert SplitScores.read(folder, digits.test.images[1:41]) is None
    assert SplitScores.read(folder.with_name("other"), images) is None
    save_model(folder, Model(replace(model.card, created="2000-01-01T00:00:00+00:00"), model.networks))
    assert SplitScores.read(folder, images) is not None
    save_model(folder, multi_scale)
    assert SplitScores.read(folder, images) is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 damaged"])
def test_damaged_file_counts_as_none(folder: Path, model: Model, digits: Dataset, content: bytes) -> None:
    folder.with_name("article.scores.npz").write_bytes(content)
    assert SplitScores.read(folder, digits.test.images[:40]) is None


def test_file_without_a_score_counts_as_none(folder: Path, model: Model, digits: Dataset) -> None:
    file = folder.with_name("article.scores.npz")
    with np.load(file) as loaded:
        arrays = {name: loaded[name] for name in loaded if name != "new"}
    np.savez_compressed(file, **arrays)
    assert SplitScores.read(folder, digits.test.images[:40]) is None
