"""The page "Your images": upload images, train a model on the normal ones or upload one, see its results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from vaead.i18n.texts import Texts
from vaead.ui.shared import query_params
from vaead.ui.your_images import (
    downloads,
    keeping,
    leaving,
    mistakes,
    model_upload,
    reopening,
    results,
    session,
    threshold,
    training,
    training_settings,
    trials,
    upload,
)
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import ImagesBox, OwnSession


def show(texts: Texts) -> None:
    """Show the three steps, the first two folded away once there are results."""
    st.title(texts("page.images"), anchor=False)
    own = session.current()
    query_params.show_notices(texts)
    upload.read_queue(own, texts)
    with st.sidebar:  # on the page it would have room for a moment
        leaving.ask(not own.is_empty)
    training.collect(own)
    trials.advance(own, texts)
    if own.trouble is not None:  # above the steps, which may be folded away
        st.error(own.trouble)
    running = training.is_running(own) or trials.is_running(own)
    done = own.results is not None and not running and not own.photos.awaited
    reopening.tell_missing(own, texts)
    photos = own.photos
    brought = texts("own.step_images")
    if photos.normal or photos.test:
        brought = texts("own.step_images_count", normal=len(photos.normal), test=len(photos.test))
    with _folded_images(own.images_box, brought) if done else _step(brought, False):
        upload.show(own, texts)
    if photos.normal or photos.test:
        with _step(texts("own.step_model"), done):
            _model(own, running, texts)
    if own.results is not None and not running:
        with st.sidebar:
            score = results.choose_score(texts)
        with _step(texts("own.step_results"), False):
            _results(own, own.results, score, texts)
    elif not own.is_empty:
        keeping.offer(own, texts)


def _results(own: OwnSession, found: Results, score: str, texts: Texts) -> None:
    results.tell_model(own, found, texts)
    if found.card.is_dead:  # its scores would look as if they meant something
        st.error(texts("own.dead"))
        keeping.offer(own, texts)
        return
    mistakes.calibrate(own, texts)
    found = own.results or found
    results.score_all(own, found, texts)
    rate = threshold.choose(found, score, texts)
    results.show(own, found, score, rate, texts)
    # Outside the fragment of the results: a click on an image must not put other buttons in the place of
    # these, as a download that is asked for meanwhile would be lost.
    with st.container(horizontal=True):
        downloads.show(found, score, rate, texts)
        keeping.offer(own, texts)


def _model(own: OwnSession, running: bool, texts: Texts) -> None:
    if trials.is_running(own):
        trials.follow(own, texts)
        return
    if running:
        training.follow(own, texts)
        return
    plan = training_settings.show(own, texts)
    if plan is not None:
        training.offer(own, plan, texts)
        trials.offer(own, plan, texts)
    with st.container(horizontal=True):
        model_upload.show(own, texts)
        reopening.offer(own, texts)


@contextmanager
def _folded_images(box: ImagesBox, title: str) -> Iterator[None]:
    """The box of the images, which stays open or folded when their number, and so its title, changes."""
    if box.title != title:
        box.title, box.begins_open = title, box.is_open
    with st.expander(title, expanded=box.begins_open, key="own_images_box", on_change="rerun") as shown:
        box.is_open = bool(shown.open)
        yield


@contextmanager
def _step(title: str, folded: bool) -> Iterator[None]:
    """A titled part of the page, folded away where it has done its work."""
    if folded:
        with st.expander(title):
            yield
    else:
        st.header(title, anchor=False)
        with st.container():
            yield
