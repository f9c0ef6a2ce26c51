"""The demo: made-up images of screw holes, taken in as if a visitor had brought them, and their model."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.photos.layout import NORMAL
from vaead.errors import ModelNotFoundError
from vaead.model.store import ModelStore, load_model, save_model
from vaead.plots.png import mask_to_png, to_png
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession
from vaead.ui.your_images.upload_queue import Upload
from vaead.ui.your_images.uploaded_photos import OwnPhoto, OwnPhotos, examine
from vaead.zoo import screw_demo


def begin(own: OwnSession) -> Upload:
    """Begin to read the demo: its images, and at last its model."""
    images = screw_demo.images()

    def steps() -> Generator[None]:
        yield from _read(own.photos, images)
        take_model(own)

    return Upload(steps(), len(images))


def read_demo(own: OwnPhotos, size: screw_demo.DemoSize | None = None) -> Upload:
    """Begin to read the images of the demo, always the same ones."""
    images = screw_demo.images(size)
    return Upload(_read(own, images), len(images))


def _read(own: OwnPhotos, images: Sequence[screw_demo.DemoImage]) -> Generator[None]:
    makers = ThreadPoolExecutor(thread_name_prefix="vaead-demo")
    try:
        for image, made in zip(images, makers.map(_make, images), strict=True):
            photo = replace(made.photo, path=own.write(made.data, ".png"), defect=image.defect)
            if image.defect != NORMAL:
                photo = replace(photo, mask=own.write(made.mask, ".png"))
            (own.normal if image.to_train else own.test).append(photo)
            yield
    finally:  # it may be broken off, and nobody waits for the rest then
        makers.shutdown(wait=False, cancel_futures=True)


class _Made(NamedTuple):
    """An image of the demo as files, and what is known of it."""

    data: bytes
    mask: bytes
    photo: OwnPhoto


def _make(image: screw_demo.DemoImage) -> _Made:
    screw = image.make()
    data = to_png(screw.image)
    return _Made(data, mask_to_png(screw.mask), examine(data, image.name))


def take_model(own: OwnSession) -> None:
    """Give the visitor a copy of the model that comes with vaead; without it the page offers to train one."""
    try:
        model = load_model(ModelStore().find(screw_demo.model_folder()))
    except ModelNotFoundError:
        return
    folder = own.new_run() / "model"
    save_model(folder, model)
    own.take_model(Results(model, folder, "shipped", own.photos.normal_digests))


@st.cache_resource(show_spinner=False)
def samples() -> dict[str, NDArray[np.uint8]]:
    """One image of each kind; the same for all visitors."""
    return {image.defect: image.make().image for image in screw_demo.samples()}
