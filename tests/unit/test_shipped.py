from pathlib import Path, PurePosixPath

import platformdirs
import pytest

from vaead import shipped
from vaead.model.store import ModelStore

MODEL = PurePosixPath("digits", "1", "article")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Folder in which an installed package finds one shipped model, and the data folder of a user."""
    monkeypatch.delenv("VAEAD_STORE", raising=False)
    monkeypatch.setattr(shipped, "IS_INSTALLED", True)
    monkeypatch.setattr(shipped, "MODELS", tmp_path / "shipped")
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    (tmp_path / "shipped" / MODEL).mkdir(parents=True)
    return tmp_path


def test_shipped_model_is_found_until_the_user_has_an_own_one(installed: Path) -> None:
    store = ModelStore()
    assert store.root == installed / "data" / "models"
    assert store.find(MODEL) == installed / "shipped" / MODEL
    assert store.find(PurePosixPath("other")) == store.root / "other"
    (store.root / MODEL).mkdir(parents=True)
    assert store.find(MODEL) == store.root / MODEL


def test_store_that_was_named_holds_its_own_models_only(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = installed / "named"
    assert ModelStore(named).find(MODEL) == named / MODEL
    monkeypatch.setenv("VAEAD_STORE", str(named))
    assert ModelStore().find(MODEL) == named / MODEL
