"""Models that do harm: their visitor is told, and all others are served."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import threading
import zipfile
from io import BytesIO
from pathlib import Path
from unittest.mock import MagicMock

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema
from streamlit.runtime import Runtime

from tests.ui.conftest import Open, OpenEvaluate
from tests.ui.your_images.helpers import OwnPage, screws
from vaead.inference.photo_service import PhotoService

ROOT = str(Path(__file__).parents[3])
WORKER = """
import os, sys, time
sys.path.insert(0, {root!r})
from vaead.inference.messages import PredictRequest, decode_request
from vaead.inference.photo_worker import answer
from vaead.processes.limited_processes import serve

def harm(request):
    if not isinstance(decode_request(request), PredictRequest):
        return answer(request)
    kind = {kind!r}
    while kind == "loop":
        time.sleep(1)
    if kind == "memory":
        bytes(4_000_000_000)
    os.kill(os.getpid(), 11)

serve(harm)
"""
"""A process whose model behaves when it is tried, and does harm when it scores."""


def packed(folder: Path, **changed: bytes) -> tuple[str, bytes, str]:
    """The ZIP of a model, with other files and a card that has their checksums."""
    files = {file.name: file.read_bytes() for file in folder.iterdir()} | changed
    card = json.loads(files["card.json"])
    card["sha256"] = {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != "card.json"
    }
    files["card.json"] = json.dumps(card).encode()
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return "model.zip", buffer.getvalue(), "application/zip"


def test_program_with_a_loop_never_runs(photo_model: Path) -> None:
    program = schema.ModelT.InitFromPackedBuf(
        gzip.decompress((photo_model / "network0.tflite.gz").read_bytes()), 0
    )
    for code in program.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.LOGISTIC:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.WHILE
    builder = flatbuffers.Builder(1024)
    builder.Finish(program.Pack(builder), b"TFL3")
    page = OwnPage()
    page.upload("test", *screws(1))
    page.bring_model(packed(photo_model, **{"network0.tflite.gz": gzip.compress(bytes(builder.Output()))}))
    assert "got the operator WHILE, which no program of vaead has" in page.errors[0].replace("\\", "")
    assert page.tiles == []


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("loop", "must be read and scored within 5 s"),
        ("memory", "must leave its process alive, got one that ended"),
        ("crash", "must leave its process alive, got one that ended"),
    ],
)
def test_harm_is_told_to_its_visitor_alone(
    photo_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_page: Open,
    open_evaluate: OpenEvaluate,
    kind: str,
    told: str,
) -> None:
    service = PhotoService(1, 5.0, [sys.executable, "-c", WORKER.format(root=ROOT, kind=kind)])
    for module in ("model_upload", "predictions", "upload_reading"):
        monkeypatch.setattr(f"vaead.ui.your_images.{module}.photo_service", lambda: service)
    # AppTest takes the runtime away at the end of a run, also from runs in other threads.
    kept = MagicMock(spec=Runtime)
    monkeypatch.setattr(Runtime, "instance", classmethod(lambda cls: cls._instance or kept))
    page = OwnPage()
    page.upload("test", *screws(5))
    visitor = threading.Thread(target=lambda: page.bring_model(packed(photo_model)))
    visitor.start()
    # Meanwhile others come, whose pages need none of these processes.
    assert open_page().caption
    assert open_evaluate().table(0)
    visitor.join(60)
    assert page.errors == []
    reasons = list(page.rejected.values())
    assert len(reasons) == 5
    assert [told in reason for reason in reasons] == [True] * 3 + [False] * 2
    assert all("got one that failed with 3 images" in reason for reason in reasons[3:])
    assert page.tiles == []
    service.close()
