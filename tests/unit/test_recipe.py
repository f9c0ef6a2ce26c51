import pytest
from msgspec.structs import replace

from vaead.config import NetworkConfig, Record
from vaead.errors import InvalidInputError, UnknownNameError
from vaead.presets import PRESETS, SHIPPED_PRESETS, get_preset, preset_names
from vaead.recipe import ClassSource, PhotoSource, Recipe

SIX = ClassSource("digits", 6)


def test_unknown_preset_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"preset must be one of article.*, got 'articel'; choose one"):
        get_preset("articel")


@pytest.mark.parametrize("name", preset_names())
def test_recipe_without_changes_has_the_settings_and_the_name_of_its_preset(name: str) -> None:
    recipe = Recipe.from_preset(name, SIX)
    preset = get_preset(name)
    assert (recipe.networks, recipe.train) == (preset.networks, preset.train)
    assert str(recipe.path) == f"digits/6/{name}"


def test_every_network_is_trained_as_long_and_the_first_takes_the_settings() -> None:
    recipe = Recipe.from_preset("multi-scale", SIX, epochs=3, latent_dim=2)
    first, second = recipe.networks
    assert (first.patch_size, first.latent_dim) == (16, 2)
    assert (second.patch_size, second.latent_dim) == (8, 4)
    assert recipe.total_epochs == 6
    assert str(recipe.path) == "digits/6/multi-scale+epochs3+latent2"


def test_shipped_presets_exist() -> None:
    assert set(SHIPPED_PRESETS) <= set(PRESETS)


def test_path_names_the_settings_that_were_changed() -> None:
    recipe = Recipe.from_preset("article", SIX, epochs=3, crops=500, latent_dim=4, seed=7)
    assert (recipe.train.epochs, recipe.train.crops, recipe.train.seed) == (3, 500, 7)
    assert recipe.networks[0].latent_dim == 4
    assert str(recipe.path) == "digits/6/article+crops500+epochs3+latent4+seed7"


def test_setting_at_the_value_of_its_preset_is_no_change() -> None:
    recipe = Recipe.from_preset("article", SIX)
    again = Recipe.from_preset("article", SIX, epochs=recipe.train.epochs, seed=recipe.train.seed, crops=None)
    assert again == recipe
    assert again.path == recipe.path


@pytest.mark.parametrize(
    "changed",
    [
        replace(Recipe.from_preset("article", SIX), networks=(NetworkConfig(stride=4),)),
        replace(Recipe.from_preset("article", SIX), networks=(NetworkConfig(sigma2_floor=0.5),)),
        replace(
            Recipe.from_preset("article", SIX), train=replace(get_preset("article").train, kl_weight=1.0)
        ),
    ],
)
def test_recipes_that_differ_in_any_setting_have_folders_of_their_own(changed: Recipe) -> None:
    recipe = Recipe.from_preset("article", SIX)
    assert changed.path != recipe.path
    assert changed.path.parent == recipe.path.parent


def test_path_tells_the_settings_of_further_networks_apart() -> None:
    recipe = Recipe.from_preset("multi-scale", SIX, latent_dim=4)
    first, second = recipe.networks
    changed = replace(second, latent_dim=8)
    assert str(recipe.path) == "digits/6/multi-scale+latent4"
    others = [(), (changed,), (second, NetworkConfig(stride=1)), (second, NetworkConfig())]
    paths = [str(replace(recipe, networks=(first, *other)).path) for other in others]
    assert paths == [
        "digits/6/multi-scale+latent4+networks1",
        "digits/6/multi-scale+2.latent8+latent4",
        "digits/6/multi-scale+3.stride1+latent4+networks3",
        "digits/6/multi-scale+latent4+networks3",
    ]


def test_recipe_without_networks_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="networks must be at least one, got none; take those of a"):
        replace(Recipe.from_preset("article", SIX), networks=())


def test_recipe_of_photos_has_no_path_in_a_store() -> None:
    with pytest.raises(InvalidInputError, match="recipe must be of a class of a dataset, got one of photos;"):
        _ = Recipe.from_preset("industrial", PhotoSource()).path


def test_recipe_of_photos_at_full_size_has_the_settings_of_its_preset() -> None:
    source, preset = PhotoSource(), get_preset("industrial", for_photos=True)
    recipe = Recipe.from_preset("industrial", source)
    assert (recipe.networks, recipe.train) == (preset.networks, preset.train)
    assert (recipe.source, recipe.preset, recipe.for_photos) == (source, "industrial", True)


@pytest.mark.parametrize(("patch_size", "stride"), [(96, 15), (48, 8), (32, 5), (24, 4), (16, 2), (4, 1)])
def test_stride_follows_the_patch_size_of_photos(patch_size: int, stride: int) -> None:
    (network,) = Recipe.from_preset("industrial", PhotoSource(), patch_size=patch_size).networks
    assert (network.patch_size, network.stride) == (patch_size, stride)


@pytest.mark.parametrize(
    ("preset", "source", "known"),
    [("article", PhotoSource(), "industrial"), ("industrial", SIX, "article, position-aware, multi-scale")],
)
def test_preset_of_the_other_kind_is_refused(
    preset: str, source: ClassSource | PhotoSource, known: str
) -> None:
    with pytest.raises(UnknownNameError, match=rf"preset must be one of {known}, got '{preset}'; choose one"):
        Recipe.from_preset(preset, source)


@pytest.mark.parametrize(("color", "channels"), [("luminance", 1), ("rgb", 3)])
def test_channels_are_those_of_the_photos(color: str, channels: int) -> None:
    assert Recipe.from_preset("industrial", PhotoSource(color=color)).networks[0].channels == channels


def test_settings_of_a_recipe_of_photos_can_be_changed() -> None:
    recipe = Recipe.from_preset(
        "industrial", PhotoSource(), patch_size=32, stride=3, epochs=2, crops=256, seed=7
    )
    (network,) = recipe.networks
    assert (network.patch_size, network.stride) == (32, 3)
    assert (recipe.train.epochs, recipe.train.crops, recipe.train.seed) == (2, 256, 7)
    (network,) = Recipe.from_preset("industrial", PhotoSource(), patch_size=32).networks
    assert network.stride == 5  # a sixth, as in the preset


def test_setting_of_0_is_no_default() -> None:
    with pytest.raises(InvalidInputError, match=r"patch_size must be .* got 0"):
        Recipe.from_preset("industrial", PhotoSource(), patch_size=0)
    with pytest.raises(InvalidInputError, match=r"stride must be .* got 0"):
        Recipe.from_preset("industrial", PhotoSource(), stride=0)


def test_unknown_color_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="color must be one of luminance, rgb, got 'cmyk'; choose one"):
        PhotoSource(color="cmyk")


@pytest.mark.parametrize("scale", [0, -1, 1.01, float("nan")])
def test_scale_out_of_range_is_refused(scale: float) -> None:
    with pytest.raises(InvalidInputError, match=f"scale must be a number from 0.001 to 1, got {scale}"):
        PhotoSource(scale=scale)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe.from_preset("multi-scale", SIX, seed=3),
        Recipe.from_preset("industrial", PhotoSource("rgb", 0.3, aligned=True), patch_size=20),
        # Settings for which there is no option of the command line.
        replace(
            Recipe.from_preset("article", SIX), train=replace(get_preset("article").train, batch_size=64)
        ),
    ],
)
def test_recipe_travels_as_json(recipe: Recipe) -> None:
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"seed":0', '"seed":0,"patience":3', "unknown field `patience`"),
        ('"kind":"class"', '"kind":"photo"', "Invalid value 'photo'"),
        ('"normal":6', '"normal":"6"', "Expected `int`, got `str`"),
        ('"epochs":10', '"epochs":0', "epochs must be a whole number"),
        ('"seed":0', '"seed":0}', "JSON is malformed"),
        ('"networks":[{', '"networks":[[[{', "Expected `object`, got `array`"),
    ],
)
def test_recipe_that_is_none_is_refused(old: str, new: str, reason: str) -> None:
    text = Recipe.from_preset("article", SIX).to_json()
    assert old in text
    with pytest.raises(InvalidInputError, match=rf"recipe must be one in JSON, got .*{reason}.*; copy it"):
        Recipe.from_json(text.replace(old, new))


def test_recipe_of_an_unknown_preset_is_refused() -> None:
    text = Recipe.from_preset("article", SIX).to_json()
    with pytest.raises(
        UnknownNameError, match=r"preset must be one of article, .* got 'atricle'; choose one"
    ):
        Recipe.from_json(text.replace('"preset":"article"', '"preset":"atricle"'))


def test_records_cannot_change() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Recipe.from_preset("article", SIX).preset = "multi-scale"
    assert issubclass(Recipe, Record)
