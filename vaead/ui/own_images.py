"""The page "Your images": bring images, train a model on the normal ones or bring one, see what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from vaead.texts import Texts
from vaead.ui import (
    links,
    own_bring,
    own_downloads,
    own_model,
    own_results,
    own_session,
    own_settings,
    own_training,
)
from vaead.ui.own_session import OwnSession


def page(texts: Texts) -> None:
    """Show the three steps, the first two folded away once there are results."""
    own = own_session.current()
    notices = st.container()
    own_bring.go_on(own, texts)
    own_training.collect(own)
    if own.trouble is not None:  # above the steps, which may be folded away
        st.error(own.trouble)
    running = own_training.is_running(own)
    done = own.results is not None and not running
    photos = own.photos
    brought = texts("own.step_images")
    if photos.normal or photos.judged:
        brought = texts("own.step_images_count", normal=len(photos.normal), judged=len(photos.judged))
    with _step(brought, done):
        own_bring.show(own, texts)
    if photos.normal or photos.judged:
        with _step(texts("own.step_model"), done):
            _model(own, running, texts)
    if own.results is not None and not running:
        with st.sidebar:
            score, rate = own_results.controls(texts)
        with _step(texts("own.step_results"), False):
            own_results.tell_model(own, own.results, texts)
            own_results.score_all(own, own.results, texts)
            own_results.show(own.results, score, rate, texts)
            # Outside the fragment of the results: a click on an image must not put other buttons in the
            # place of these, as a download that is asked for meanwhile would be lost.
            own_downloads.show(own.results, score, rate, texts)
    # Last, when every control has compared itself with the link.
    with notices:
        links.show_notices(texts)


def _model(own: OwnSession, running: bool, texts: Texts) -> None:
    if running:
        own_training.follow(own, texts)
        return
    plan = own_settings.show(own, texts)
    if plan is not None:
        own_training.offer(own, plan, texts)
    own_model.show(own, texts)


@contextmanager
def _step(title: str, folded: bool) -> Iterator[None]:
    """A titled part of the page, folded away where it has done its work."""
    if folded:
        with st.expander(title):
            yield
    else:
        st.subheader(title, anchor=False)
        with st.container():
            yield
