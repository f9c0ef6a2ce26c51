from pathlib import PurePosixPath

import numpy as np

from vaead.data.photos import Limits
from vaead.data.photos.examine import examine
from vaead.data.photos.photo import NORMAL
from vaead.data.screws.generator import DEFECTS, make_screw
from vaead.photo_defaults import PhotoDefaults
from vaead.plots.png import to_png
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


def test_recipe_is_the_one_that_is_proposed_for_the_set() -> None:
    facts = [examine(make_screw_png(number), "screw", Limits()) for number in range(6)]
    defaults, recipe = PhotoDefaults.choose(facts), screw_demo.recipe()
    assert (defaults.source, defaults.patch_size) == (recipe.source, recipe.networks[0].patch_size)


def make_screw_png(number: int) -> bytes:
    return to_png(make_screw(screw_demo.SET.seed, number, scale=screw_demo.SET.scale).image)


def test_model_lies_beside_those_of_the_datasets() -> None:
    assert screw_demo.model_folder() == PurePosixPath("screws", "industrial")
