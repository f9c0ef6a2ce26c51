import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.config import Recipe
from vaead.model import Vae
from vaead.patches import every_crop
from vaead.scoring import PatchScorer
from vaead.store import PROGRAM, ModelStore
from vaead.terms import TERMS


@pytest.fixture(scope="module")
def scorer(store: ModelStore, recipe: Recipe) -> PatchScorer:
    return PatchScorer((store.folder(recipe) / PROGRAM).read_bytes())


@pytest.fixture(scope="module")
def patches(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """All crops of an image, and noise, which no training image resembles."""
    crops = every_crop(images[:1], 8).reshape(-1, 8, 8) / np.float32(255)
    return np.concatenate([crops, np.random.default_rng(0).random((50, 8, 8), np.float32)])


def test_program_gives_the_terms_of_the_network(
    scorer: PatchScorer, vae: Vae, patches: NDArray[np.float32]
) -> None:
    terms = scorer.terms(patches)
    assert set(terms) == set(TERMS)
    for name, expected in zip(TERMS, vae.terms(patches), strict=True):
        np.testing.assert_allclose(terms[name], expected, rtol=1e-4, atol=1e-4)


def test_program_decodes_as_the_network(scorer: PatchScorer, vae: Vae, patches: NDArray[np.float32]) -> None:
    decoded, expected = scorer.decode(patches), vae(patches)
    assert set(decoded) == {"mu", "sigma2", "z_mean", "z_log_var"}
    for name in ("mu", "z_mean", "z_log_var"):
        np.testing.assert_allclose(decoded[name], getattr(expected, name), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(decoded["sigma2"], np.exp(expected.log_sigma2), rtol=1e-4)
