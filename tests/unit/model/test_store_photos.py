"""What a model compares windows with, in the two kinds that there are, as files."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.errors import ModelFormatError
from vaead.model.model import Model
from vaead.model.store import ModelPart, load_model, save_model


def test_saved_model_of_photos_judges_as_before(
    tmp_path: Path, photo_model: Model, photos: list[NDArray[np.uint8]]
) -> None:
    save_model(tmp_path / "own", photo_model.card, photo_model.parts)
    again = load_model(str(tmp_path / "own"))
    assert again.card == photo_model.card
    for name, values in vars(photo_model.parts[0].deviation).items():
        np.testing.assert_array_equal(getattr(again.parts[0].deviation, name), values)
    for photo in photos[:3]:
        np.testing.assert_array_equal(
            again.anomaly_map(photo[None], "calibrated"), photo_model.anomaly_map(photo[None], "calibrated")
        )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            "center spread mean variance rest",
            "center, spread, mean, axes, variance, rest, got center, spread, m",
        ),
        ("center spread mean axes variance rest surprise", "center, .*, rest, got center.*, surprise; train"),
        ("", "center, .*, rest, got nothing; train the"),
        ("centers median", "centers, median, spread, .*, got centers, median; train the"),
        ("centers median spread surprise", "centers, median, spread, .*, got .*, surprise; train the"),
    ],
)
def test_model_with_other_arrays_is_refused(tmp_path: Path, model: Model, names: str, message: str) -> None:
    arrays = SimpleNamespace(**dict.fromkeys(names.split(), np.zeros(1)))
    save_model(tmp_path / "own", model.card, [ModelPart(model.parts[0].program, arrays)])
    with pytest.raises(ModelFormatError, match=f"calibration must hold {message}"):
        load_model(tmp_path / "own")
