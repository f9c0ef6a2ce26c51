import dataclasses

import pytest

from vaead.config import NetworkConfig
from vaead.errors import InvalidInputError, UnknownNameError
from vaead.recipe import INDUSTRIAL, PHOTOS, PRESETS, SHIPPED_PRESETS, PhotoOptions, Recipe, get_preset


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"preset must be one of article.*, got 'articel'; choose one"):
        get_preset("articel")


@pytest.mark.parametrize("name", PRESETS)
def test_recipe_without_changes_has_the_settings_and_the_name_of_its_preset(name: str) -> None:
    recipe = Recipe.from_preset("mnist", 4, name)
    preset = get_preset(name)
    assert (recipe.model, recipe.train, recipe.companions) == (preset.model, preset.train, preset.companions)
    assert str(recipe.path) == f"mnist/4/{name}"


def test_companion_is_a_network_of_the_recipe_that_is_trained_as_long() -> None:
    recipe = Recipe.from_preset("mnist", 1, "multi-scale", epochs=3, latent=2)
    main, companion = recipe.networks
    assert (main.patch_size, main.latent_dim) == (16, 2)
    assert (companion.patch_size, companion.latent_dim) == (8, 4)
    assert recipe.total_epochs == 6
    assert str(recipe.path) == "mnist/1/multi-scale+epochs3+latent2"


def test_recipe_of_one_network_has_no_companion() -> None:
    recipe = Recipe.from_preset("mnist", 1, epochs=3)
    assert recipe.networks == (recipe.model,)
    assert recipe.total_epochs == 3


def test_shipped_presets_exist() -> None:
    assert set(SHIPPED_PRESETS) <= set(PRESETS)


def test_path_names_the_settings_that_were_changed() -> None:
    recipe = Recipe.from_preset("digits", 0, epochs=3, crops=500, latent=4, patience=2, seed=7)
    assert (recipe.train.epochs, recipe.train.crops, recipe.train.seed) == (3, 500, 7)
    assert (recipe.model.latent_dim, recipe.train.patience) == (4, 2)
    assert str(recipe.path) == "digits/0/article+crops500+epochs3+latent4+patience2+seed7"


def test_setting_at_the_value_of_its_preset_is_no_change() -> None:
    recipe = Recipe.from_preset("digits", 0)
    again = Recipe.from_preset("digits", 0, epochs=recipe.train.epochs, seed=recipe.train.seed)
    assert again.path == recipe.path


@pytest.mark.parametrize(
    "change", [{"model": {"stride": 4}}, {"model": {"sigma2_floor": 0.5}}, {"train": {"kl_weight": 1.0}}]
)
def test_recipes_that_differ_in_any_setting_have_folders_of_their_own(
    change: dict[str, dict[str, float]],
) -> None:
    recipe = Recipe.from_preset("digits", 0)
    ((part, settings),) = change.items()
    changed = dataclasses.replace(recipe, **{part: dataclasses.replace(getattr(recipe, part), **settings)})
    assert changed.path != recipe.path
    assert changed.path.parent == recipe.path.parent


def test_settings_of_companions_are_told_apart() -> None:
    recipe = Recipe.from_preset("digits", 0, "multi-scale", latent=4)
    (companion,) = recipe.companions
    changed = dataclasses.replace(companion, latent_dim=8)
    assert str(recipe.path) == "digits/0/multi-scale+latent4"
    others = [(), (changed,), (companion, NetworkConfig(stride=1)), (companion, NetworkConfig())]
    paths = [str(dataclasses.replace(recipe, companions=other).path) for other in others]
    assert paths == [
        "digits/0/multi-scale+latent4+networks1",
        "digits/0/multi-scale+2.latent8+latent4",
        "digits/0/multi-scale+3.stride1+latent4+networks3",
        "digits/0/multi-scale+latent4+networks3",
    ]


def test_recipe_of_photos_has_no_place_in_a_store() -> None:
    with pytest.raises(
        InvalidInputError, match=r"recipe must be of a dataset .* got one of photos; save its"
    ):
        _ = Recipe.from_photos(PhotoOptions()).path


def test_recipe_of_unchanged_photos_has_the_settings_of_its_preset() -> None:
    options = PhotoOptions()
    recipe = Recipe.from_photos(options)
    assert (recipe.model, recipe.train) == (INDUSTRIAL.model, INDUSTRIAL.train)
    assert (recipe.dataset, recipe.preset, recipe.photos) == (PHOTOS, "industrial", options)
    assert recipe.networks == (recipe.model,)


@pytest.mark.parametrize(
    ("scale", "patch_size", "stride"), [(1, 96, 16), (0.5, 48, 8), (0.3, 28, 4), (0.25, 24, 4), (0.01, 16, 2)]
)
def test_patches_shrink_as_the_photos(scale: float, patch_size: int, stride: int) -> None:
    model = Recipe.from_photos(PhotoOptions(scale=scale)).model
    assert (model.patch_size, model.stride) == (patch_size, stride)


@pytest.mark.parametrize(
    ("options", "settings", "windows"),
    [
        (PhotoOptions(), {}, [(96, 16, 48), (96, 16, 96)]),
        (PhotoOptions(scale=0.5), {}, [(48, 8, 24), (48, 8, 48)]),
        (PhotoOptions(scale=0.1), {}, [(16, 2, 8), (16, 2, 16)]),
        (PhotoOptions(color="rgb"), {"patch_size": 32, "stride": 6}, [(32, 6, 16), (32, 6, 32)]),
    ],
)
def test_companions_see_the_same_patches(
    options: PhotoOptions, settings: dict[str, int], windows: list[tuple[int, int, int]]
) -> None:
    recipe = Recipe.from_photos(options, "industrial-multi-scale", **settings)
    found = [(network.patch_size, network.stride, network.input_size) for network in recipe.networks]
    assert found == windows
    assert {network.channels for network in recipe.networks} == {recipe.model.channels}
    assert (recipe.preset, recipe.total_epochs) == ("industrial-multi-scale", 20)


def test_preset_of_classes_is_none_of_photos() -> None:
    with pytest.raises(UnknownNameError, match=r"preset must be one of industrial, .* got 'article'"):
        Recipe.from_photos(PhotoOptions(), "article")


@pytest.mark.parametrize(("color", "channels"), [("luminance", 1), ("rgb", 3)])
def test_channels_are_those_of_the_photos(color: str, channels: int) -> None:
    assert Recipe.from_photos(PhotoOptions(color=color)).model.channels == channels


def test_settings_of_a_recipe_of_photos_can_be_changed() -> None:
    recipe = Recipe.from_photos(PhotoOptions(), patch_size=32, stride=3, epochs=2, crops=256, seed=7)
    assert (recipe.model.patch_size, recipe.model.stride) == (32, 3)
    assert (recipe.train.epochs, recipe.train.crops, recipe.train.seed) == (2, 256, 7)
    assert Recipe.from_photos(PhotoOptions(), patch_size=32).model.stride == 5  # a sixth, as in the preset


@pytest.mark.parametrize("setting", ["patch_size", "stride"])
def test_setting_of_0_is_no_default(setting: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{setting} must be .* got 0"):
        Recipe.from_photos(PhotoOptions(), **{setting: 0})


def test_unknown_color_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="color must be one of luminance, rgb, got 'cmyk'; choose one"):
        PhotoOptions(color="cmyk")


@pytest.mark.parametrize("scale", [0, -1, 1.01, float("nan")])
def test_scale_out_of_range_is_refused(scale: float) -> None:
    with pytest.raises(InvalidInputError, match=f"scale must be a number from 0.001 to 1, got {scale}"):
        PhotoOptions(scale=scale)
