"""The page Method: how a score comes about, step by step."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from vaead.data.datasets import get_spec
from vaead.i18n.texts import Texts
from vaead.ui.method import blank, calibration, complexity, crops, example, latent, sliding, terms, wins
from vaead.ui.method.section import STEPS
from vaead.ui.shared import query_params
from vaead.ui.shared.controls import Story
from vaead.ui.shared.labels import class_name

# Streamlit scrolls to the anchor of the address before what follows is there, and so not far enough. Until
# all figures have their heights, or the visitor goes elsewhere, the anchor is brought back.
_SCROLL = """{
  const name = location.hash.slice(1);
  const timer = setInterval(() => document.getElementById(name)?.scrollIntoView(), 200);
  const stop = () => clearInterval(timer);
  setTimeout(stop, 4000);
  for (const event of ["wheel", "touchstart", "pointerdown", "keydown"]) {
    addEventListener(event, stop, { once: true, capture: true });
  }
}"""


def show(texts: Texts, pages: Mapping[str, st.Page]) -> None:
    """Show all steps, with links to the pages "reference" and "compare"."""
    st.title(texts("page.method"), anchor=False)
    notices = st.container()
    # First of all, since the sentence above the links names its classes, and would push them down later.
    loaded = example.load(texts)
    if loaded is None:
        _links(texts, pages)
    else:
        _steps(*loaded, texts, pages)
    wins.show(pages["compare"], texts)
    # Last, when controls have compared themselves with the images.
    with notices:
        query_params.show_notices(texts)
    st.html(f"<script>{_SCROLL}</script>", unsafe_allow_javascript=True)


def _links(texts: Texts, pages: Mapping[str, st.Page]) -> None:
    """Links to the page in words and to all steps."""
    with st.container(key="in_words"):
        st.page_link(pages["reference"], label=texts("method.reference"), icon=":material/menu_book:")
    st.markdown(" · ".join(f"[{texts(f'method.{name}_title')}](#{name})" for name in STEPS))


def _steps(found: example.Example, story: Story, texts: Texts, pages: Mapping[str, st.Page]) -> None:
    """The steps, on one pair of images."""
    spec = get_spec(story.dataset)
    names = {role: class_name(texts, spec, getattr(story, role)) for role in ("normal", "anomalous")}
    st.markdown(texts("method.intro", **names))
    _links(texts, pages)
    titles = [
        texts("compare.image_title", role=texts(f"compare.{role}"), name=name) for role, name in names.items()
    ]
    crops.show(found, texts)
    latent.show(found, texts)
    terms.show(found, titles, texts)
    complexity.show(found, texts)
    sliding.show(found, titles[1], texts)
    calibration.show(found, titles[1], texts)
    blank.show(found, texts)
