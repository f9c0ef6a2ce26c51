"""A model that is kept to compare with: both models on the same image, a row each."""

from __future__ import annotations

import streamlit as st

from vaead.errors import VaeadError
from vaead.i18n.texts import Texts
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.recipe import Recipe
from vaead.ui.compare import figure
from vaead.ui.shared.cache import load_stored
from vaead.ui.shared.phone import is_phone
from vaead.ui.shared.plots import show_as_high
from vaead.ui.shared.query_params import change, replace, values
from vaead.ui.shared.sidebar import Choice

_NUMBERS = 4
"""Settings in the address, after the preset."""


def show(pair: figure.Pair, choice: Choice, model: Model, view: str, texts: Texts) -> None:
    """Offer to keep the model, or show the kept one beside it."""
    asked, present = values()["kept"], _written(choice.recipe)
    recipe = None if asked is None else _read(asked, choice.recipe)
    if recipe is None:
        if asked is not None:
            replace("kept", None)
        _button(texts("kept.keep"), ":material/push_pin:", present)
        return
    name = _name(recipe)
    if asked == present:
        st.caption(texts("kept.same", model=name))
    elif recipe not in ModelStore():
        st.caption(texts("kept.missing", model=name))
    else:
        st.header(texts("kept.title"), anchor=False)
        for key, each, other in (("now", choice.recipe, model), ("kept", recipe, load_stored(recipe))):
            _row(key, texts(f"kept.{key}", model=_name(each)), pair, other, (choice, view), texts)
    _button(texts("kept.let_go"), ":material/close:", None)


def _row(
    key: str, title: str, pair: figure.Pair, model: Model, shown: tuple[Choice, str], texts: Texts
) -> None:
    """The second image with the maps of one model."""
    choice, view = shown
    columns = 2 if is_phone() else 4
    drawn = figure.comparison(
        figure.Pair(pair.images, model.term_maps(pair.images), pair.names),
        *(model.card.normal_scores, choice, view, texts),
        columns=columns,
        images=(1,),
    )
    st.markdown(title)
    height = "calc(100cqw + 80px)" if is_phone() else "min(calc(25cqw + 65px), 385px)"
    show_as_high(drawn, f"comparison_{key}", title, height)


def _button(text: str, icon: str, kept: str | None) -> None:
    """A button that keeps a model, or none."""
    st.button(text, key="keep", type="tertiary", icon=icon, on_click=lambda: change(kept=kept))


def _name(recipe: Recipe) -> str:
    return f"**{recipe.path.name}**"


def _written(recipe: Recipe) -> str:
    """Preset and settings as they stand in the address."""
    network, train = recipe.networks[0], recipe.train
    return "-".join([recipe.preset, *map(str, (train.epochs, train.crops, network.latent_dim, train.seed))])


def _read(text: str, like: Recipe) -> Recipe | None:
    """Undo `_written` for the same class; None if the text is nothing like it. It may come from anywhere."""
    preset, *numbers = text.rsplit("-", _NUMBERS)
    try:
        epochs, crops, latent_dim, seed = map(int, numbers)
        return Recipe.from_preset(
            preset, like.source, epochs=epochs, crops=crops, latent_dim=latent_dim, seed=seed
        )
    except (ValueError, VaeadError):
        return None
