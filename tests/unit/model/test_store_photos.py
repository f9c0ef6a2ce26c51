"""References of both kinds as files."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.calibration.class_images import ClassReference
from vaead.calibration.photo import PhotoReference
from vaead.errors import ModelFormatError
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model, TrainedNetwork


def test_saved_model_of_photos_judges_as_before(
    tmp_path: Path, photo_model: Model, photos: list[NDArray[np.uint8]]
) -> None:
    save_model(tmp_path / "own", photo_model)
    again = load_model(str(tmp_path / "own"))
    assert again.card == photo_model.card
    arrays = again.networks[0].reference.arrays()
    for name, values in photo_model.networks[0].reference.arrays().items():
        np.testing.assert_array_equal(arrays[name], values)
    assert again.windows is not None
    assert photo_model.windows is not None
    for name, values in photo_model.windows.arrays().items():
        np.testing.assert_array_equal(again.windows.arrays()[name], values)
    for photo in photos[:3]:
        np.testing.assert_array_equal(
            again.anomaly_map(photo[None], "calibrated"), photo_model.anomaly_map(photo[None], "calibrated")
        )


@pytest.mark.parametrize(
    "names",
    [
        "middle spread",
        " ".join((*ClassReference.array_names(), "surprise")),
        "",
        " ".join(PhotoReference.array_names()),
    ],
)
def test_model_with_other_arrays_is_refused(tmp_path: Path, model: Model, names: str) -> None:
    reference: Any = SimpleNamespace(arrays=lambda: dict.fromkeys(names.split(), np.zeros(1)))
    network = TrainedNetwork(model.card.recipe.networks[0], model.networks[0].program, reference)
    save_model(tmp_path / "own", Model(model.card, [network]))
    wanted = ", ".join(sorted(ClassReference.array_names()))
    got = ", ".join(names.split()) or "nothing"
    with pytest.raises(ModelFormatError, match=f"reference0.npz must hold {wanted}, got {got}; train the"):
        load_model(tmp_path / "own")
