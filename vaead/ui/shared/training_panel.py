"""The panel that trains the model of the chosen recipe, and shows how far it is."""

from __future__ import annotations

import streamlit as st

from vaead.errors import VaeadError
from vaead.i18n.texts import Texts
from vaead.model.events import EpochReport
from vaead.model.store import ModelStore
from vaead.processes.train_command import PhotoTask, Task
from vaead.processes.training_jobs import JobState, JobStatus
from vaead.recipe import Recipe
from vaead.ui.shared.cache import training_jobs
from vaead.ui.shared.loss_chart import network_name, show_losses

_START_S = 10.0
"""Seconds to start a training process, compile the epoch and export the model."""
_CROPS_PER_S = 50_000.0
"""Crops a second on two cores; see benchmarks/. Only used to tell visitors how long they will wait."""
_POLL_S = 0.5


def panel(recipe: Recipe, texts: Texts) -> None:
    """Offer to train a model, or follow the training that anyone has started."""
    status = training_jobs().status(recipe)
    if status is not None and status.state.active:
        follow(recipe, texts)
        return
    if status is not None and status.state is JobState.FAILED:
        st.error(texts("training.failed", message=status.message or ""))
    elif status is not None and status.state is JobState.CANCELLED:
        st.info(texts("training.cancelled"))
    elif recipe not in ModelStore():  # a damaged model is there, and the page has said so
        st.info(texts("training.missing"), icon=":material/model_training:")
    seconds = _START_S + recipe.total_epochs * recipe.train.crops / _CROPS_PER_S
    st.caption(texts("training.estimate", seconds=f"{seconds:.0f}"))
    st.button(texts("training.start"), key="train", type="primary", on_click=_start, args=(recipe,))


def _start(recipe: Recipe) -> None:
    try:
        ModelStore().check_writable()
        training_jobs().submit(recipe)
    except VaeadError as error:
        st.error(str(error))


def follow(task: Task, texts: Texts) -> None:
    """Show a queued or running training, and draw the page anew when it ends."""
    st.fragment(_follow, run_every=_POLL_S)(task, texts)


def _follow(task: Task, texts: Texts) -> None:
    status = training_jobs().status(task)
    if status is None or not status.state.active:
        st.rerun(scope="app")
    over = _is_over(status)
    done = status.total_epochs if over else _done(status)
    st.progress(done / status.total_epochs, _headline(status, texts))
    columns = st.columns(2)
    columns[0].metric(texts("training.elapsed"), texts("training.seconds", seconds=f"{status.elapsed_s:.0f}"))
    columns[1].metric(
        texts("training.remaining"),
        texts("training.unknown")
        if status.remaining_s is None or over
        else texts("training.seconds", seconds=f"{status.remaining_s:.0f}"),
    )
    if status.epochs:
        number, epochs = _network(status)
        count = len(_recipe(status).networks)
        show_losses(epochs, "live_losses", texts, network_name(number, count, texts))
    st.button(
        texts("training.cancel"),
        key="cancel",
        icon=":material/cancel:",
        on_click=training_jobs().cancel,
        args=(task,),
    )


def _headline(status: JobStatus, texts: Texts) -> str:
    if status.state is JobState.QUEUED:
        return texts("training.waiting", count=status.waiting_before)
    if not status.epochs:
        return texts("training.starting")
    if _is_over(status):
        return texts("training.finishing")
    return texts("training.running", epoch=_done(status), epochs=status.total_epochs)


def _recipe(status: JobStatus) -> Recipe:
    return status.task.recipe if isinstance(status.task, PhotoTask) else status.task


def _done(status: JobStatus) -> int:
    """Epochs of all networks that are over."""
    return status.epochs[-1].epoch if status.epochs else 0


def _network(status: JobStatus) -> tuple[int, list[EpochReport]]:
    """The number of the network that is being trained, from 1, and its epochs; there must be one."""
    each = _recipe(status).train.epochs
    number = (_done(status) - 1) // each
    return number + 1, [epoch for epoch in status.epochs if epoch.epoch > number * each]


def _is_over(status: JobStatus) -> bool:
    return bool(status.epochs) and _done(status) == status.total_epochs
