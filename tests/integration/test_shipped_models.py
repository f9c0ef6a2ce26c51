"""The models that come with the repository."""

import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

import vaead
import vaead.model
from vaead import Recipe, load_dataset, load_model
from vaead.config import PRESETS
from vaead.datasets import get_spec
from vaead.scoring import PatchScorer
from vaead.store import NETWORK, PROGRAM, ModelStore
from vaead.terms import SCORES, TERMS

STORE = ModelStore(Path(vaead.__file__).parents[1] / "models")


def shipped() -> list[str]:
    """Folders of the models that git tracks, below the store; without git, those with a preset's own name."""
    git = shutil.which("git")
    command = [git or "", "-C", str(STORE.root), "ls-files", "*/card.json"]
    listed = subprocess.run(command, capture_output=True, check=False, text=True).stdout if git else ""
    tracked = [STORE.root / Path(line).parent for line in listed.splitlines()]
    folders = tracked or [folder for folder in STORE.folders() if folder.name in PRESETS]
    return [folder.relative_to(STORE.root).as_posix() for folder in folders]


@pytest.fixture(params=shipped())
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_models_of_the_first_visit_are_there() -> None:
    wanted = {("mnist", 1), ("fashion_mnist", 7), ("fashion_mnist", 2), ("digits", 1)}
    assert {str(Recipe.from_preset(*pair).path) for pair in wanted} <= set(shipped())


def test_shipped_model_scores(path: str) -> None:
    model = load_model(STORE.root / path)
    images = load_dataset("digits").test_images(8)[:3]
    for score in SCORES:
        assert np.isfinite(model.anomaly_map(images, score)).all()
        assert len(set(model.anomaly_score(images, score))) == 3


def test_shipped_network_goes_with_its_program(path: str) -> None:
    network = keras.models.load_model(STORE.root / path / NETWORK)
    size = network.config.patch_size
    random = np.random.default_rng(0)
    patches, positions = random.random((9, size, size), np.float32), random.random((9, 2), np.float32)
    terms = PatchScorer((STORE.root / path / PROGRAM).read_bytes()).terms(patches, positions)
    for name, expected in zip(TERMS, network.terms(patches, positions), strict=True):
        np.testing.assert_allclose(terms[name], expected, rtol=1e-4, atol=1e-4)


def test_shipped_model_is_what_its_preset_makes(path: str) -> None:
    recipe = load_model(STORE.root / path).card.recipe
    assert recipe == Recipe.from_preset(recipe.dataset, recipe.normal, recipe.preset)
    assert str(recipe.path) == path


def test_shipped_model_was_trained_on_the_images_of_its_dataset(
    path: str, request: pytest.FixtureRequest
) -> None:
    card = load_model(STORE.root / path).card
    if get_spec(card.recipe.dataset).needs_download:
        request.getfixturevalue("data_dir")
    dataset = load_dataset(card.recipe.dataset)
    assert card.fingerprint == dataset.class_fingerprint(card.recipe.normal)
    assert card.image_shape == dataset.image_shape
