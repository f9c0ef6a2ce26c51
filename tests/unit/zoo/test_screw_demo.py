from pathlib import PurePosixPath

import numpy as np
import pytest

from vaead.data.photos.layout import NORMAL
from vaead.data.screws.generator import DEFECTS, make_screw
from vaead.zoo import screw_demo


def test_samples_are_one_of_each_kind_and_no_images_of_the_set() -> None:
    samples = screw_demo.samples()
    assert list(samples) == [NORMAL, *DEFECTS]
    assert {sample.shape for sample in samples.values()} == {(240, 320)}
    assert {500 + number for number in range(len(samples))}.isdisjoint(
        image.index for image in screw_demo.SET
    )
    normal = make_screw(screw_demo.SET.seed, 500, scale=screw_demo.SET.scale)
    np.testing.assert_array_equal(samples[NORMAL], normal.image)


def test_patches_see_as_much_as_those_of_the_paper() -> None:
    recipe = screw_demo.recipe()
    assert recipe.networks[0].patch_size / recipe.source.scale / 320 == pytest.approx(96 / 640)


def test_model_lies_beside_those_of_the_datasets() -> None:
    assert screw_demo.model_folder() == PurePosixPath("screws", "industrial")
