"""Step 2 of the page "Your images": settings that suit the images, and what a training would cost."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from vaead.data.photos import check_normals
from vaead.errors import InvalidInputError
from vaead.i18n.photo_defaults import photo_defaults
from vaead.i18n.texts import Texts
from vaead.ignored import IgnoredRegion
from vaead.photo_defaults import PhotoDefaults, Variant, default_patch, setting_variants
from vaead.presets import get_preset, preset_names
from vaead.recipe import PhotoSource, Recipe
from vaead.scoring.patches import PatchGrid
from vaead.session import Controls
from vaead.ui.shared import training_panel
from vaead.ui.shared.markdown import code
from vaead.ui.your_images import boxes
from vaead.ui.your_images.messages import error_message
from vaead.ui.your_images.own_photos import OwnPhoto, OwnPhotos
from vaead.ui.your_images.session import OwnSession

_PRESET = get_preset(preset_names(for_photos=True)[0], for_photos=True)
_NUMBER_WIDTH = 132
"""In pixels."""
_LARGEST_PATCH = 128
_OF_SOURCE = ("color", "aligned", "light", "scale")
_OF_SCALE = ("patch", "stride")
_KEPT = (*_OF_SOURCE, *_OF_SCALE, "epochs", "crops", "seed")
"""Names of controls: those that follow the images, those that follow the scale, and all."""

_START_BYTES = 1.0e9
"""Memory of TensorFlow with a compiled network."""
_CALL_BYTES = 2**28
"""Crops that are given to TensorFlow at a time, see `vaead.training.fit`."""
_COPIES = 5
"""Copies of them that a training holds on its way, measured."""
_WINDOW_BYTES = 1_400
"""Memory of a window of a held-out image, measured."""


@dataclass(frozen=True)
class Plan:
    """A training that may start.

    Attributes:
        recipe: Recipe of the model.
        photos: Normal images that are large enough.
    """

    recipe: Recipe
    photos: tuple[OwnPhoto, ...]

    def variants(self, defaults: PhotoDefaults) -> list[Variant]:
        """These settings, and others that differ in one way each, for images with these defaults."""
        source, patch = self.recipe.source, self.recipe.networks[0].patch_size
        assert isinstance(source, PhotoSource)
        return setting_variants(dataclasses.replace(defaults, source=source, patch_size=patch))

    def takes(self, photo: OwnPhoto) -> bool:
        """Whether another image could be among these."""
        source = self.recipe.source
        same_size = not source.aligned or photo.size == self.photos[0].size
        return same_size and _fits(photo, self.recipe.networks[0].patch_size, source.scale)

    @property
    def scale(self) -> float:
        """The factor by which images are resized."""
        return self.recipe.source.scale


def memory_bytes(recipe: Recipe, photos: Sequence[OwnPhoto]) -> float:
    """Estimate the memory that a training takes.

    TensorFlow, the crops of the largest network in single precision with the copies made of one call's share
    of them, the scaled images, and what the networks say of each window of the held-out ones.
    """
    crops = 4.0 * recipe.train.crops * max(network.patch_values for network in recipe.networks)
    scale = recipe.source.scale
    pixels = sum(photo.size[0] * photo.size[1] for photo in photos) * scale**2 * recipe.networks[0].channels
    windows = held_out_windows(recipe, photos)
    return _START_BYTES + crops + _COPIES * min(crops, _CALL_BYTES) + 8 * pixels + _WINDOW_BYTES * windows


def held_out_windows(recipe: Recipe, photos: Sequence[OwnPhoto]) -> int:
    """Windows of all networks in the images that are held out of so many."""
    scale = recipe.source.scale
    sizes = Counter((round(photo.size[0] * scale), round(photo.size[1] * scale)) for photo in photos)
    return training_panel.held_out_windows(recipe, sizes)


def show(own: OwnSession, texts: Texts) -> Plan | None:
    """Show the settings; returns None, and says why, if nothing can be trained with them."""
    photos = own.photos
    if not photos.normal:
        st.info(texts("own.no_normal"), icon=":material/info:")
        return None
    try:
        recipe = _controls(own, texts)
        large = tuple(
            each for each in photos.normal if _fits(each, recipe.networks[0].patch_size, recipe.source.scale)
        )
        _tell_small(photos, recipe, texts)
        check_normals(photo.digest for photo in large if not photo.is_validation)
    except InvalidInputError as error:
        st.error(error_message(error, texts))
        return None
    return Plan(recipe, large)


def _controls(own: OwnSession, texts: Texts) -> Recipe:
    """The controls and what they add up to."""
    normal = own.photos.normal
    chosen = own.photos.defaults
    source, train = chosen.source, _PRESET.train
    _prepare(own, {"epochs": train.epochs, "crops": train.crops, "seed": train.seed})
    proposed: dict[str, float | bool | str] = {
        "color": source.color,
        "aligned": source.aligned,
        "light": source.even_light,
        "scale": source.scale,
    }
    _follow(own, proposed, f"{source}")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        scale = _number(own, "scale", 0.01, 1.0, 0.01, texts("own.scale"), texts("own.scale_help"))
        shorter_px = min(min(photo.size) for photo in normal)
        patch = default_patch(shorter_px * scale)
        stride = Recipe.from_preset(_PRESET.name, source, patch_size=patch).networks[0].stride
        _follow(own, {"patch": patch, "stride": stride}, f"{scale}")
        size = _patch(own, texts)
        stride = int(_number(own, "stride", 1, size, 1, texts("own.stride"), texts("own.stride_help")))
        epochs = int(_number(own, "epochs", 1, 100, 1, texts("control.epochs"), texts("control.epochs_help")))
        crops = int(
            _number(own, "crops", 128, 1_000_000, 128, texts("control.crops"), texts("control.crops_help"))
        )
        seed = int(_number(own, "seed", 0, 999_999, 1, texts("control.seed"), texts("control.seed_help")))
        color, aligned = _reading(own, [each for each in normal if _fits(each, size, scale)], texts)
        light = st.toggle(texts("own.light"), key="own_light", help=texts("own.light_help"))
        own.settings["light"] = light
    _tell_chosen(chosen, texts)
    boxes.show(own, normal[0], aligned, texts)
    source = PhotoSource(
        color=color,
        scale=scale,
        aligned=aligned,
        bits=source.bits,
        even_light=light,
        ignored=_ignored(own, (size, stride), scale, texts),
    )
    return Recipe.from_preset(
        _PRESET.name, source, patch_size=size, stride=stride, epochs=epochs, crops=crops, seed=seed
    )


def _ignored(own: OwnSession, windows: tuple[int, int], scale: float, texts: Texts) -> IgnoredRegion | None:
    """The region of the boxes, which must leave windows of this size and stride.

    Raises:
        InvalidInputError: It leaves no window of an image; the message is in the language of the page.
    """
    sizes = {photo.size for photo in own.photos.normal if _fits(photo, windows[0], scale)}
    try:
        region = boxes.region(own.boxes, own.photos.normal[0].size)
        for height, width in sizes:
            PatchGrid(round(height * scale), round(width * scale), *windows, region)
    except InvalidInputError as error:
        raise InvalidInputError(texts("boxes.all")) from error
    return region


def _tell_chosen(chosen: PhotoDefaults, texts: Texts) -> None:
    lines = "\n".join(f"- {line}" for line in photo_defaults(chosen, texts))
    st.caption(f"{texts('own.chosen')}\n{lines}")


def _reading(own: OwnSession, photos: Sequence[OwnPhoto], texts: Texts) -> tuple[str, bool]:
    """Controls that only some images give reason for."""
    color, aligned = "luminance", False
    if any(photo.has_colors for photo in photos):
        names = {"luminance": texts("own.luminance"), "rgb": texts("own.rgb")}
        chosen = st.segmented_control(
            texts("own.color"),
            list(names),
            format_func=names.__getitem__,
            required=True,
            key="own_color",
            help=texts("own.color_help"),
        )
        color = chosen or color
        own.settings["color"] = color
    if len({photo.size for photo in photos}) == 1:
        aligned = st.toggle(texts("own.aligned"), key="own_aligned", help=texts("own.aligned_help"))
        own.settings["aligned"] = aligned
    return color, aligned


def controls(own: OwnSession) -> Controls:
    """The settings as they are kept in a session."""
    return Controls(**{name: own.settings[name] for name in _KEPT if name in own.settings})  # type: ignore[arg-type]


def restore(own: OwnSession, kept: Controls) -> None:
    """Take the settings of a session that was opened; to be called before the controls are drawn."""
    found = {name: getattr(kept, name) for name in _KEPT}
    own.settings = {name: value for name, value in found.items() if value is not None}
    for name in own.settings:
        st.session_state.pop(f"own_{name}", None)
    if own.photos.normal and kept.scale is not None:  # they were not proposed, and so stay as they are
        own.settings[_known_as(_OF_SOURCE)] = f"{own.photos.defaults.source}"
        own.settings[_known_as(_OF_SCALE)] = f"{float(kept.scale)}"


def _known_as(names: Iterable[str]) -> str:
    """Where it is noted for which choice controls have got their values."""
    return f"{'_'.join(names)}_for"


def _prepare(own: OwnSession, defaults: dict[str, float | bool | str]) -> None:
    """Give controls that Streamlit does not know, or has forgotten on another page, their values."""
    for name, default in defaults.items():
        if name not in own.settings or f"own_{name}" not in st.session_state:
            st.session_state[f"own_{name}"] = own.settings.setdefault(name, default)


def _follow(own: OwnSession, defaults: dict[str, float | bool | str], choice: str) -> None:
    """As `_prepare`; the controls also get these values when a choice that they depend on has changed."""
    known = _known_as(defaults)
    if own.settings.get(known) != choice:
        own.settings[known] = choice
        own.settings.update(defaults)
        st.session_state.update({f"own_{name}": default for name, default in defaults.items()})
    _prepare(own, defaults)


def _patch(own: OwnSession, texts: Texts) -> int:
    """The patch size, a multiple of 4; a smaller stride follows it."""
    with st.container(width=_NUMBER_WIDTH):
        sizes = range(4, _LARGEST_PATCH + 1, 4)
        size = st.selectbox(texts("own.patch"), sizes, key="own_patch", help=texts("own.patch_help"))
    own.settings["patch"] = size
    own.settings["stride"] = st.session_state["own_stride"] = min(st.session_state["own_stride"], size)
    return size


def _number(own: OwnSession, name: str, low: float, high: float, step: float, label: str, help: str) -> float:
    with st.container(width=_NUMBER_WIDTH):
        taken = st.number_input(label, low, high, step=step, key=f"own_{name}", help=help)
    own.settings[name] = taken
    return float(taken)


def _fits(photo: OwnPhoto, patch_size: int, scale: float) -> bool:
    return round(min(photo.size) * scale) >= patch_size


def _tell_small(photos: OwnPhotos, recipe: Recipe, texts: Texts) -> None:
    small = [
        each
        for each in (*photos.normal, *photos.test)
        if not _fits(each, recipe.networks[0].patch_size, recipe.source.scale)
    ]
    if small:
        height, width = small[0].size
        st.warning(
            texts(
                "own.too_small",
                count=len(small),
                patch=recipe.networks[0].patch_size,
                name=code(small[0].name),
                size=f"{width}x{height}",
            )
        )
