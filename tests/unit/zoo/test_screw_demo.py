from pathlib import PurePosixPath

import numpy as np
import pytest

from vaead.data.photos.layout import NORMAL
from vaead.data.screws.generator import DEFECTS
from vaead.zoo import screw_demo


def test_images_have_the_layout_of_mvtec_and_defects_from_slight_to_obvious() -> None:
    images = screw_demo.images(screw_demo.DemoSize(normal=2, good=1, defective=2))
    names = [image.name for image in images]
    assert names[:3] == ["train/good/000.png", "train/good/001.png", "test/good/000.png"]
    assert [image.to_train for image in images] == [True, True] + [False] * (1 + 2 * len(DEFECTS))
    assert [image.index for image in images] == list(range(len(images)))
    for defect in DEFECTS:
        assert [image.severity for image in images if image.defect == defect] == [0.5, 1.0]


def test_image_has_a_mask_where_its_defect_is() -> None:
    normal, *others = screw_demo.samples()
    assert normal.defect == NORMAL
    assert not normal.make().mask.any()
    assert [image.defect for image in others] == list(DEFECTS)
    screw = others[0].make()
    assert screw.image.shape == screw.mask.shape == (240, 320)
    assert 0 < np.mean(screw.mask) < 0.1


def test_samples_are_no_images_of_the_demo() -> None:
    assert {image.index for image in screw_demo.samples()}.isdisjoint(
        image.index for image in screw_demo.images()
    )


def test_patches_see_as_much_as_those_of_the_paper() -> None:
    recipe = screw_demo.recipe()
    assert recipe.networks[0].patch_size / recipe.source.scale / 320 == pytest.approx(96 / 640)


def test_model_lies_beside_those_of_the_datasets() -> None:
    assert screw_demo.model_folder() == PurePosixPath("screws", "industrial")
