import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.config import Recipe, get_preset
from vaead.export import to_litert
from vaead.model import Decoded, Vae
from vaead.patches import every_crop
from vaead.scoring import PatchScorer
from vaead.store import PROGRAM, ModelStore
from vaead.terms import TERMS

NO_POSITIONS = np.empty((0, 2), np.float32)
"""The article's network does not ask for them."""


def assert_decodes(actual: dict[str, NDArray[np.float32]], expected: Decoded) -> None:
    assert set(actual) == {"mu", "sigma2", "z_mean", "z_log_var"}
    for name in ("mu", "z_mean", "z_log_var"):
        np.testing.assert_allclose(actual[name], getattr(expected, name), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(actual["sigma2"], np.exp(expected.log_sigma2), rtol=1e-4)


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
    terms = scorer.terms(patches, NO_POSITIONS)
    assert set(terms) == set(TERMS)
    for name, expected in zip(TERMS, vae.terms(patches), strict=True):
        np.testing.assert_allclose(terms[name], expected, rtol=1e-4, atol=1e-4)


def test_program_decodes_as_the_network(scorer: PatchScorer, vae: Vae, patches: NDArray[np.float32]) -> None:
    assert_decodes(scorer.decode(patches, NO_POSITIONS), vae(patches))


def test_program_of_a_position_aware_network_agrees_with_it() -> None:
    random = np.random.default_rng(0)
    patches, positions = random.random((40, 16, 16), np.float32), random.random((40, 2), np.float32)
    vae = Vae(get_preset("position-aware").model)
    scorer = PatchScorer(to_litert(vae))
    for name, values in scorer.terms(patches, positions).items():
        elsewhere = scorer.terms(patches, 1 - positions)[name]
        assert np.all(values != elsewhere), f"{name} must depend on the position"

    assert_decodes(scorer.decode(patches, positions), vae(patches, positions))
    for actual, expected in zip(
        scorer.terms(patches, positions).values(), vae.terms(patches, positions), strict=True
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
