"""Step 2 of the page "Your images", instead of a training: a model that was downloaded from it comes back."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

import streamlit as st

from vaead.data.photos import Limits, open_zip
from vaead.data.photos.reasons import PhotoError
from vaead.errors import InvalidInputError, VaeadError
from vaead.i18n.texts import Texts
from vaead.model.files import CARD, is_of_network
from vaead.model.model import Model
from vaead.model.store import load_model
from vaead.processes import model_trial
from vaead.ui.shared.markdown import code, plain
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession
from vaead.ui.your_images.upload import no_room, release, told

_LIMITS = Limits(image_bytes=60_000_000, zip_entries=200, zip_unpacked_bytes=120_000_000)
"""Of the ZIP; a model of the largest patches has a tenth of that."""
_MOST_UPLOAD_MB = 100
_MOST_CARD_BYTES = 5_000_000


class UnusableModelError(InvalidInputError):
    """A ZIP without a model that can judge photos.

    Attributes:
        kind: What is wrong.
        said: For "refused" the problem, for "classes" the dataset.
    """

    def __init__(self, kind: Literal["missing", "broken", "refused", "classes"], said: str = "") -> None:
        super().__init__(f"{kind} {said}".strip())
        self.kind = kind
        self.said = said


def show(own: OwnSession, texts: Texts) -> None:
    """Offer to bring a model."""
    label, number = texts("own.bring_model"), own.models
    # With a key of its own for each model, so that it does not stay open over what was found.
    with st.popover(label, icon=":material/upload:", type="tertiary", key=f"own_bring_model_{number}"):
        file = st.file_uploader(
            texts("own.upload_model"),
            type="zip",
            max_upload_size=_MOST_UPLOAD_MB,
            key=f"own_model_{number}",
            help=texts("own.upload_model_help"),
        )
    if file is None:
        return
    # A click meanwhile begins another run with the same file, which waits here and takes up what came of it.
    with own.bringing:
        if own.claim([file.file_id]):
            own.trouble = _bring(own, file.name, file, texts)
            own.models += 1
            release([file])
    st.rerun()


def _bring(own: OwnSession, name: str, file: BinaryIO, texts: Texts) -> str | None:
    """Judge with the model in a ZIP from now on; returns what is wrong with it, if anything is."""
    try:
        folder = own.new_run() / "model"
        model = take_in(file, name, folder)
    except UnusableModelError as error:
        return _told(error, code(name), texts)
    except PhotoError as error:
        return texts("own.model_damaged", name=code(name), problem=plain(told(error, texts)))
    except OSError as error:
        return no_room(error, texts)
    # A training that has ended before would take its place again.
    own.task = None
    own.take_model(Results(model, folder, "brought"))
    return None


def _told(error: UnusableModelError, name: str, texts: Texts) -> str:
    if error.kind == "missing":
        return texts("own.model_none", name=name)
    if error.kind == "classes":
        return texts("own.model_classes", name=name, dataset=plain(error.said))
    if error.kind == "refused":
        return texts("own.model_damaged", name=name, problem=plain(error.said))
    return texts("own.model_broken", name=name)


def take_in(file: BinaryIO, name: str, folder: Path) -> Model:
    """Unpack the model in a ZIP, try it out and load it.

    Args:
        file: The ZIP.
        name: What the visitor calls it.
        folder: Where to put it; its parent is removed if there is something wrong with it.

    Raises:
        UnusableModelError: It holds no model, a broken one, or one that cannot judge photos.
        PhotoError: It is no ZIP, too large, or not safe to read.
        OSError: There is no room for it.
    """
    try:
        files = _read(file, name)
        folder.mkdir()
        for each, content in files.items():
            (folder / each).write_bytes(content)
        return _load(folder)
    except (VaeadError, OSError):
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise


def _read(file: BinaryIO, name: str) -> dict[str, bytes]:
    """The files of the one model in a ZIP, by name."""
    with open_zip(file, name, _LIMITS) as archive:
        cards = [PurePosixPath(each) for each in archive.names if PurePosixPath(each).name == CARD]
        if len(cards) != 1:
            raise UnusableModelError("missing")
        names = [
            PurePosixPath(each) for each in archive.names if PurePosixPath(each).parent == cards[0].parent
        ]
        names = [each for each in names if each.name == CARD or is_of_network(each.name)]
        files = {each.name: archive.read(str(each)) for each in names}
    if len(files[CARD]) > _MOST_CARD_BYTES:
        raise UnusableModelError("broken")
    return files


def _load(folder: Path) -> Model:
    try:
        model_trial.try_out(folder)
    except model_trial.TrialError as error:
        problem = str(error).replace(str(folder), folder.name)
        if not problem:
            raise UnusableModelError("broken") from error
        raise UnusableModelError("refused", problem) from error
    model = load_model(folder)
    recipe = model.card.recipe
    if not recipe.for_photos:
        raise UnusableModelError("classes", recipe.class_source.dataset)
    return model
