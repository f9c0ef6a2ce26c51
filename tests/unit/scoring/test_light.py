import numpy as np
import pytest

from vaead.errors import InvalidInputError
from vaead.scoring.light import Light, measure_light


def test_even_photos_have_the_mean_and_spread_asked_for() -> None:
    random = np.random.default_rng(0)
    photos = np.stack([0.1 + 0.2 * random.random((20, 30)), 0.5 + 0.4 * random.random((20, 30))])
    evened = Light(0.5, 0.1).even(photos)
    np.testing.assert_allclose(measure_light(evened), [[0.5, 0.1]] * 2, rtol=1e-4)
    for photo, made in zip(photos, evened, strict=True):
        assert np.corrcoef(photo.ravel(), made.ravel())[0, 1] > 0.9999


def test_colours_of_a_photo_change_by_the_same_factor() -> None:
    photo = np.random.default_rng(0).uniform(0.3, 0.4, (1, 9, 9, 3))
    evened = Light(0.5, 0.05).even(photo)
    ratios = np.diff(evened, axis=3) / np.diff(photo.astype(np.float32), axis=3)
    np.testing.assert_allclose(ratios, ratios.flat[0], rtol=1e-2)


def test_bytes_are_measured_as_fractions() -> None:
    photo = np.full((1, 8, 8), 51, np.uint8)
    photo[:, ::2] = 153
    np.testing.assert_allclose(measure_light(photo), [[0.4, 0.2]], rtol=1e-5)


def test_empty_photo_stays_empty() -> None:
    evened = Light(0.5, 0.2).even(np.full((1, 8, 8), 0.9))
    np.testing.assert_allclose(evened, 0.5, atol=1e-5)


def test_usual_light_is_the_median_of_photos() -> None:
    photos = [np.full((4, 6), level) for level in (0.1, 0.3, 0.9)]
    for photo in photos:
        photo[:2] += 0.1
    light = Light.usual(photos)
    assert (light.mean, light.spread) == pytest.approx((0.35, 0.05))


@pytest.mark.parametrize(("mean", "spread"), [(-0.1, 0.2), (1.5, 0.2), (0.5, 0.0), (0.5, float("nan"))])
def test_light_out_of_range_is_refused(mean: float, spread: float) -> None:
    with pytest.raises(InvalidInputError, match="must be a number from"):
        Light(mean, spread)
