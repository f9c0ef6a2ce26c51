"""The demo: made-up images of screw holes, read like an upload, and their model."""

from __future__ import annotations

from collections.abc import Generator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vaead.errors import ModelNotFoundError
from vaead.inference.golden import save_with_golden
from vaead.model.folder import load_model
from vaead.model.store import ModelStore
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession
from vaead.ui.your_images.upload_queue import Upload
from vaead.ui.your_images.upload_reading import Batch, read_batches
from vaead.zoo import screw_demo


def begin(own: OwnSession) -> Upload:
    """Begin to read the demo: its images, and at last its model."""
    screws = screw_demo.SET
    images = read_batches(own.photos, [Batch(screws.photos, screws.read)])

    def steps() -> Generator[None]:
        yield from images.steps
        take_model(own)

    return Upload(steps(), images.total)


def take_model(own: OwnSession) -> None:
    """Give the visitor a copy of the model that comes with vaead; without it the page offers to train one."""
    try:
        model = load_model(ModelStore().find(screw_demo.model_folder()))
    except ModelNotFoundError:
        return
    folder = own.new_run() / "model"
    save_with_golden(folder, model)
    own.take_model(Results(model.card, folder, "shipped", own.photos.normal_digests))


@cache
def samples() -> dict[str, NDArray[np.uint8]]:
    """One image of each kind; the same for all visitors."""
    return screw_demo.samples()
