import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.model.model import Model
from vaead.presets import get_preset
from vaead.scoring.patch_scorer import Named, PatchScorer
from vaead.scoring.patches import every_crop
from vaead.training.export import to_litert
from vaead.training.network import Decoded, Vae

NO_POSITIONS = np.empty((0, 2), np.float32)
"""The article's network does not ask for them."""
HALF_PRECISION = {"rtol": 2e-3, "atol": 5e-3}
"""Weights of a program have 11 bits, so what it gives differs a little from what its network gives."""


def assert_decodes(actual: Named, expected: Decoded) -> None:
    assert set(actual) == {"mu", "sigma2", "z_mean", "z_log_var"}
    for name, values in actual.items():
        np.testing.assert_allclose(values, getattr(expected, name), **HALF_PRECISION)


@pytest.fixture(scope="module")
def scorer(model: Model) -> PatchScorer:
    return PatchScorer(model.networks[0].program)


@pytest.fixture(scope="module")
def patches(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """All crops of an image, and noise, which no training image resembles."""
    crops = every_crop(images[:1], 8).reshape(-1, 8, 8) / np.float32(255)
    return np.concatenate([crops, np.random.default_rng(0).random((50, 8, 8), np.float32)])


def test_program_decodes_as_the_network(scorer: PatchScorer, vae: Vae, patches: NDArray[np.float32]) -> None:
    assert_decodes(scorer.decode(patches, NO_POSITIONS), vae(patches))


def test_program_of_a_position_aware_network_agrees_with_it() -> None:
    random = np.random.default_rng(0)
    patches, positions = random.random((40, 16, 16), np.float32), random.random((40, 2), np.float32)
    vae = Vae(get_preset("position-aware").networks[0])
    scorer = PatchScorer(to_litert(vae))
    for name, values in scorer.decode(patches, positions).items():
        elsewhere = scorer.decode(patches, 1 - positions)[name]
        assert np.all(values != elsewhere), f"{name} must depend on the position"

    assert_decodes(scorer.decode(patches, positions), vae(patches, positions))


def test_normalisation_is_folded_into_the_program(patches: NDArray[np.float32]) -> None:
    vae = Vae(NetworkConfig())
    random = np.random.default_rng(0)
    for variable in vae.variables:  # as after a training: nothing is 0 or 1
        variable.assign(random.uniform(0.5, 1.5, variable.shape) * (variable.numpy() + 0.1))
    assert_decodes(PatchScorer(to_litert(vae)).decode(patches, NO_POSITIONS), vae(patches))


@pytest.mark.parametrize("channels", [1, 3])
def test_program_of_a_convolutional_network_agrees_with_it(channels: int) -> None:
    vae = Vae(NetworkConfig(network="convolutional", patch_size=16, channels=channels, sigma2_floor=1e-2))
    patches = np.random.default_rng(0).random((40, *vae.config.patch_shape), np.float32)
    scorer = PatchScorer(to_litert(vae))
    assert_decodes(scorer.decode(patches, NO_POSITIONS), vae(patches))
