"""Sets of images that cannot be trained on, and uploads that are too large."""

import numpy as np
import pytest

from tests.unit.data.photos.files import GREY
from vaead.data.photos import Limits, check_amount, check_normals, pixel_digest
from vaead.errors import InvalidInputError

IMAGE = (GREY / 255).astype(np.float32)[:, :, None]


def test_digest_follows_pixels_and_shape() -> None:
    other = IMAGE.copy()
    other[0, 0] += 1e-6
    digests = {pixel_digest(image) for image in (IMAGE, other, IMAGE.reshape(12, 9, 1))}
    assert len(digests) == 3
    assert pixel_digest(IMAGE[::-1][::-1]) in digests


def test_normal_images_that_differ_pass() -> None:
    check_normals(["a", "a", "b"])


@pytest.mark.parametrize("n_images", [0, 1])
def test_too_few_normal_images_are_refused(n_images: int) -> None:
    with pytest.raises(InvalidInputError, match=rf"normal images must be at least 2, got {n_images}; add"):
        check_normals(["a"] * n_images)


def test_normal_images_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"normal images must differ, got 50 with the same pixels"):
        check_normals(["a"] * 50)


def test_upload_within_its_limits_passes() -> None:
    check_amount(Limits().upload_images, Limits().upload_bytes)


def test_upload_of_too_many_images_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"images must be at most 5, got 6; upload fewer"):
        check_amount(6, 0, Limits(upload_images=5))


def test_upload_of_too_many_bytes_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"upload must have at most 500 MB, got 501 MB; upload less"):
        check_amount(1, 501_000_000)
