"""Maps against the tutorial's own way: a double loop over windows and one call of the model a window.

The tutorial's loops stop one window short, so rows and columns 26 and 27 of its maps are empty; here the
loops go on to the border.
"""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vaead
from vaead import load_dataset, load_model
from vaead.model.model import Model
from vaead.plots.panels import article_scale
from vaead.scoring.patch_scorer import PatchScorer

MODELS = Path(vaead.__file__).parents[1] / "models"
SIZE, STRIDE = 8, 2
Maps = dict[str, NDArray[np.float64]]


def loop_over_windows(image: NDArray[np.uint8], scorer: PatchScorer) -> Maps:
    pixels = image.astype(np.float32) / 255
    maps = {"old": np.zeros((28, 28)), "new": np.zeros((28, 28))}
    for top in range(0, 28 - SIZE + 1, STRIDE):
        for left in range(0, 28 - SIZE + 1, STRIDE):
            window = np.s_[top : top + SIZE, left : left + SIZE]
            patch = pixels[window][None]
            decoded = scorer.decode(patch, np.zeros((1, 2), np.float32))
            z_mean, z_log_var, mu, sigma2 = (decoded[k] for k in ("z_mean", "z_log_var", "mu", "sigma2"))
            kl = (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var).sum() / 2
            log_variance = np.log(2 * np.pi * sigma2).sum() / 2
            mahalanobis = ((patch.ravel() - mu) ** 2 / sigma2).sum() / 2
            maps["old"][window] += kl + log_variance + mahalanobis
            maps["new"][window] += mahalanobis
    return maps


Case = tuple[Model, NDArray[np.uint8], list[Maps]]


@pytest.fixture(scope="module", params=["mnist", "digits"])
def case(request: pytest.FixtureRequest) -> Case:
    """A shipped model of class 1, a normal and an anomalous image, and the maps of the loop."""
    if request.param == "mnist":
        request.getfixturevalue("data_dir")
    folder = MODELS / request.param / "1" / "article"
    dataset = load_dataset(request.param)
    images = np.stack([dataset.test.of_class(label)[0] for label in (1, 9)])
    model = load_model(folder)
    scorer = PatchScorer(model.networks[0].program)
    return model, images, [loop_over_windows(image, scorer) for image in images]


@pytest.mark.parametrize("score", ["old", "new"])
def test_map_equals_the_loop(case: Case, score: str) -> None:
    model, images, loops = case
    for anomaly_map, loop in zip(model.sum_map(images, score), loops, strict=True):
        np.testing.assert_allclose(anomaly_map, loop[score], rtol=1e-4, atol=1e-4 * np.abs(loop[score]).max())


@pytest.mark.parametrize("score", ["old", "new"])
def test_joint_scale_equals_that_of_the_loop(case: Case, score: str) -> None:
    model, images, (normal, anomalous) = case
    low = min(normal[score].min(), anomalous[score].min())
    high = max(normal[score].max(), anomalous[score].max())
    scaled = article_scale(model.sum_map(images, score))
    for actual, loop in zip(scaled, (normal, anomalous), strict=True):
        np.testing.assert_allclose(actual, 1 + 9 * (loop[score] - low) / (high - low), atol=1e-3)
    assert (scaled.min(), scaled.max()) == pytest.approx((1, 10))
