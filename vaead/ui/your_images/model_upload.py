"""Step 2 of the page "Your images", instead of a training: upload a model that was downloaded before."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import streamlit as st

from vaead.data.photos import Limits, open_zip
from vaead.data.photos.reasons import PhotoError, refusal
from vaead.errors import ModelFormatError, ModelNotFoundError, VaeadError
from vaead.i18n.texts import Texts
from vaead.inference.photo_service import PhotoLostError
from vaead.model.card import ModelCard
from vaead.model.files import CARD
from vaead.model.folder import load_card
from vaead.session import is_session, model_files
from vaead.ui.shared.cache import photo_service
from vaead.ui.shared.markdown import code, plain
from vaead.ui.your_images.messages import UnusableModelError, error_message, told
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession

_LIMITS = Limits(image_bytes=60_000_000, zip_entries=200, zip_unpacked_bytes=120_000_000)
"""Of the ZIP; a model of the largest patches has a tenth of that."""
_MOST_UPLOAD_MB = 100
_MOST_CARD_BYTES = 5_000_000


def show(own: OwnSession, texts: Texts) -> None:
    """Show the control for a model."""
    label, number = texts("own.bring_model"), own.model_upload_count
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
    # A click meanwhile begins another run with the same file, which waits here and finds the model loaded.
    with own.model_upload_lock:
        own.uploads.poll([file], lambda _: _bring(own, file.name, file, texts))
    st.rerun()


def _bring(own: OwnSession, name: str, file: BinaryIO, texts: Texts) -> None:
    """Use the model in a ZIP from now on, or say what is wrong with it."""
    own.model_upload_count += 1
    own.trouble = None
    if is_session(file, name):
        own.trouble = told(refusal("session_here", name=name), texts)
        return
    try:
        folder = own.new_run() / "model"
        card = unpack_model(file, name, folder)
    except PhotoError as error:
        problem = plain(error_message(error, texts))
        own.trouble = texts("own.model_damaged", name=code(name), problem=problem)
    except (UnusableModelError, OSError) as error:
        own.trouble = error_message(error, texts)
    else:
        own.task = None  # a training that has ended before would take its place again
        own.take_model(Results(card, folder, "brought"))


def unpack_model(file: BinaryIO, name: str, folder: Path) -> ModelCard:
    """Unpack the model in a ZIP and try it out in another process; nothing but its card is read here.

    Args:
        file: The ZIP.
        name: Name of the ZIP.
        folder: New folder for it; its parent is removed if there is something wrong with it.

    Raises:
        UnusableModelError: It holds no model, a broken one, or one that cannot score photos.
        PhotoError: It is no ZIP, too large, or not safe to read.
        OSError: There is no room for it.
    """
    try:
        with open_zip(file, name, _LIMITS) as archive:
            cards = [path for path in map(PurePosixPath, archive.names) if path.name == CARD]
            if len(cards) != 1:
                raise UnusableModelError("none", name)
            files = model_files(archive, cards[0].parent)
        return try_model(files, name, folder)
    except (VaeadError, OSError):
        shutil.rmtree(folder.parent, ignore_errors=True)
        raise


def try_model(files: Mapping[str, bytes], name: str, folder: Path) -> ModelCard:
    """Write the files of a model into a new folder, and try it out in another process.

    Raises:
        UnusableModelError: It is broken, or cannot score photos.
        OSError: There is no room for it.
    """
    if len(files[CARD]) > _MOST_CARD_BYTES:
        raise UnusableModelError("broken", name)
    folder.mkdir()
    for each, content in files.items():
        (folder / each).write_bytes(content)
    try:
        photo_service().check(folder)
        card = load_card(folder)
    except PhotoLostError as error:
        raise UnusableModelError("broken", name) from error
    except (ModelFormatError, ModelNotFoundError) as error:
        raise UnusableModelError("damaged", name, problem=str(error)) from error
    if not card.recipe.for_photos:
        raise UnusableModelError("classes", name, dataset=card.recipe.class_source.dataset)
    return card
