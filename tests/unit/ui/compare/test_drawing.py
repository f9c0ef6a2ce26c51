"""An edited image in the address."""

import base64
import zlib

import numpy as np
import pytest

from vaead.ui.compare.drawing import MOST_CHARACTERS, pack, unpack

SHAPE = (28, 28)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def test_simple_image_comes_back_exactly() -> None:
    image = np.zeros(SHAPE, np.uint8)
    image[5:20, 7:9] = 137
    assert (unpack(pack(image), SHAPE) == image).all()


def test_even_noise_fits_with_fewer_grey_levels() -> None:
    image = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    text = pack(image)
    assert len(text) <= MOST_CHARACTERS
    found = unpack(text, SHAPE)
    assert found is not None
    assert np.abs(found.astype(int) - image).max() <= 255 / 15 / 2 + 1


def test_what_was_unpacked_is_packed_as_it_is() -> None:
    image = np.random.default_rng(1).integers(0, 256, SHAPE, np.uint8)
    once = unpack(pack(image), SHAPE)
    assert once is not None
    assert (unpack(pack(once), SHAPE) == once).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense!",
        "_w",
        "ö" * 10,
        pack(np.zeros((8, 8), np.uint8)),
        pack(np.zeros(SHAPE, np.uint8))[:-4],
        _text(bytes([99]) + zlib.compress(bytes(784))[2:-4]),
        _text(bytes([15]) + zlib.compress(bytes([16]) * 784)[2:-4]),
        _text(bytes([255]) + zlib.compress(bytes(400_000))[2:-4]),
        "A" * (MOST_CHARACTERS + 1),
    ],
    ids=["empty", "no code", "no content", "letters", "size", "cut", "levels", "value", "bomb", "long"],
)
def test_bad_text_is_no_image(text: str) -> None:
    assert unpack(text, SHAPE) is None
