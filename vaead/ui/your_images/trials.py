"""Step 2 of the page "Your images": compare settings on made-up defects, one training after another."""

from __future__ import annotations

import math
import shutil

import streamlit as st

from vaead.errors import VaeadError
from vaead.i18n.photo_defaults import variant_name
from vaead.i18n.texts import Texts
from vaead.model.card import ModelCard
from vaead.model.files import CARD
from vaead.model.folder import load_card
from vaead.processes.train_command import PhotoTask
from vaead.processes.training_jobs import JobState
from vaead.recipe import Recipe
from vaead.ui.shared import training_panel
from vaead.ui.shared.cache import photo_service, training_jobs
from vaead.ui.your_images import training
from vaead.ui.your_images.messages import error_message
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession, Trial
from vaead.ui.your_images.training_settings import Plan, held_out_windows


def is_running(own: OwnSession) -> bool:
    """True if settings are left to try."""
    return any(trial.pending for trial in own.trials)


def advance(own: OwnSession, texts: Texts) -> None:
    """Take over the training that has ended, and queue the next one: a visitor has one in the queue."""
    for trial in own.trials:
        if trial.task is not None and trial.pending:
            _take_over(own, trial, trial.task, texts)
        if trial.task is None and trial.pending:
            _queue(own, trial, texts)
        if trial.pending:
            return


def _take_over(own: OwnSession, trial: Trial, task: PhotoTask, texts: Texts) -> None:
    status = training_jobs().status(task)
    if status is not None and status.state.active:
        return
    if status is not None and status.state is JobState.FAILED:
        trial.trouble = status.message or ""
    elif (task.out / CARD).is_file():
        try:
            photo_service().check(task.out)
            trial.card = load_card(task.out)
        except VaeadError as error:
            trial.trouble = str(error)
    else:  # cancelled, so the others are not wanted either
        for each in own.trials:
            if each.pending:
                each.trouble = texts("training.cancelled")
    shutil.rmtree(task.images, ignore_errors=True)


def _queue(own: OwnSession, trial: Trial, texts: Texts) -> None:
    try:
        trial.task = training.queue(own, trial.recipe, trial.photos)
    except (VaeadError, OSError) as error:
        trial.trouble = error_message(error, texts)


def follow(own: OwnSession, texts: Texts) -> None:
    """Show the training that runs."""
    for number, trial in enumerate(own.trials, start=1):
        if trial.pending and trial.task is not None:
            st.markdown(texts("trials.running", number=number, count=len(own.trials), name=trial.name))
            training_panel.follow(trial.task, texts)
            return


def offer(own: OwnSession, plan: Plan, texts: Texts) -> None:
    """Show the button that starts to try settings, and what was found the last time."""
    variants = plan.variants(own.photos.defaults)
    made = []
    for variant in variants:
        name = texts("trials.base") if variant.change == "none" else variant_name(variant, texts)
        train = plan.recipe.train
        recipe = Recipe.from_preset(
            plan.recipe.preset,
            variant.source,
            patch_size=variant.patch_size,
            epochs=train.epochs,
            crops=train.crops,
            seed=train.seed,
        )
        made.append(Trial(name, recipe, plan.photos))
    seconds = sum(
        training_jobs().expected_s(each.recipe, held_out_windows(each.recipe, each.photos)) for each in made
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            texts("trials.start"),
            key="own_try",
            icon=":material/science:",
            help=texts("trials.start_help"),
            on_click=_start,
            args=(own, made, texts),
        )
        time = training.time_of(seconds, texts)
        st.caption(texts("trials.estimate", count=len(made), time=time))
    _results(own, texts)


def _start(own: OwnSession, made: list[Trial], texts: Texts) -> None:
    _forget(own)
    own.trials = made
    advance(own, texts)


def _results(own: OwnSession, texts: Texts) -> None:
    """The table of what was tried, the best first, and a button for each that takes its model."""
    tried = sorted(
        (trial for trial in own.trials if trial.task is not None), key=lambda trial: -_auroc(trial.card)
    )
    if not tried:
        return
    st.markdown(f"**{texts('trials.title')}**")
    rows = [_row(trial, texts) for trial in tried]
    names = ("settings", "auroc", "found", "time")
    st.table(
        {texts(f"trials.{name}"): [row[column] for row in rows] for column, name in enumerate(names)},
        hide_index=True,
    )
    st.caption(texts("trials.caption"))
    st.markdown(_advice(own.trials, texts))
    with st.container(horizontal=True, gap="small"):
        for index, trial in enumerate(own.trials):
            if trial.card is not None:
                st.button(
                    texts("trials.take", name=trial.name),
                    key=f"own_take_{index}",
                    on_click=_take,
                    args=(own, trial),
                )


def _row(trial: Trial, texts: Texts) -> tuple[str, str, str, str]:
    card = trial.card
    if card is None or card.trial_auroc is None or card.trial_error is None:
        return trial.name, texts("trials.failed", message=trial.trouble or ""), "", ""
    found, tried = (sum(getattr(each, name) for each in card.trials) for name in ("found", "tried"))
    auroc = f"{card.trial_auroc:.3f} ± {card.trial_error:.3f}"
    return trial.name, auroc, f"{found} / {tried}", training.time_of(card.training_s, texts)


def _advice(trials: list[Trial], texts: Texts) -> str:
    """Which settings are better than the first ones by more than chance."""
    first, best = trials[0].card, max(trials, key=lambda trial: _auroc(trial.card))
    if first is None or best.card is None:
        return ""
    gain = _auroc(best.card) - _auroc(first)
    if gain > math.hypot(best.card.trial_error or 0.0, first.trial_error or 0.0):
        return texts("trials.better", name=best.name)
    return texts("trials.same")


def _auroc(card: ModelCard | None) -> float:
    return -1.0 if card is None or card.trial_auroc is None else card.trial_auroc


def _take(own: OwnSession, trial: Trial) -> None:
    assert trial.task is not None
    assert trial.card is not None
    _forget(own, but=trial)
    own.take_model(Results(trial.card, trial.task.out, normals=own.photos.normal_digests))


def _forget(own: OwnSession, but: Trial | None = None) -> None:
    """Forget what was tried, and delete its models."""
    for trial in own.trials:
        if trial is not but and trial.task is not None:
            shutil.rmtree(trial.task.out.parent, ignore_errors=True)
    own.trials = []
