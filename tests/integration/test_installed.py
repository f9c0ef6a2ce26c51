"""The wheel, installed into an environment of its own outside the checkout, without TensorFlow."""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
from pathlib import Path

import pytest
from PIL import Image

from vaead.data.datasets import load_dataset

CHECKOUT = Path(__file__).parents[2]
PACKAGES = Path(sysconfig.get_path("purelib"))

# Runs at each start of Python: hides TensorFlow, and lets nothing read the checkout.
WATCH = f"""
import sys

sys.modules["tensorflow"] = None

def watch(event, args):
    if event in ("open", "os.listdir", "os.scandir") and args:
        path = str(args[0])
        if path.startswith({str(CHECKOUT)!r}) and not path.startswith({str(PACKAGES)!r}):
            raise RuntimeError(f"{{path}} of the checkout is read")

sys.addaudithook(watch)
"""
APP = """
from streamlit.testing.v1 import AppTest
from vaead import shipped
from vaead.i18n.texts import LANGUAGES, Texts

assert all(Texts(language).method for language in LANGUAGES)
app = AppTest.from_file(str(shipped.APP), default_timeout=30)
app.query_params["dataset"] = "digits"
app.run()
print([error.value for error in app.exception], len(app.get("plotly_chart")) > 0)
"""


class Environment:
    """Where the wheel is installed, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "env" / "bin" / "python"
        self.work = folder / "work"
        self.work.mkdir()
        self.data = folder / "data"
        hidden = {"PYTHONPATH", "VAEAD_STORE"}
        self.variables = {name: value for name, value in os.environ.items() if name not in hidden}
        self.variables["XDG_DATA_HOME"] = str(self.data)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python.with_name(command[0])), *command[1:]],
            capture_output=True,
            check=False,
            cwd=self.work,
            env=self.variables,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The installed wheel; packages that it needs are those of the test's own environment."""
    if sys.platform != "linux":
        pytest.skip("folders of an environment and of a user's data are named here as on Linux")
    pytest.importorskip("hatchling", reason="hatchling builds the wheel; run `make test`, which installs it")
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(CHECKOUT)]
    subprocess.run([*pip, *build], check=True, timeout=120)
    (wheel,) = folder.glob("vaead-*.whl")
    venv.create(folder / "env", with_pip=False)
    found = Environment(folder)
    subprocess.run([*pip, "--python", found.python, "install", "--no-deps", wheel], check=True, timeout=120)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    (site / "watch.py").write_text(WATCH)
    (site / "test.pth").write_text(f"{PACKAGES}\nimport watch\n")
    return found


def test_shipped_model_scores_an_image(environment: Environment) -> None:
    Image.fromarray(load_dataset("digits").test.of_class(9)[0]).save(environment.work / "nine.png")
    result = environment.run("vaead", "score", "--dataset", "digits", "--normal", "1", "nine.png", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    ((scores),) = json.loads(result.stdout)
    assert scores["calibrated"] > 1


def test_program_without_vaead_travels_in_the_wheel(environment: Environment) -> None:
    shutil.copytree(CHECKOUT / "models" / "digits" / "1" / "article", environment.work / "model")
    result = environment.run("vaead", "check", "--model", "model", "--renew")
    assert (result.returncode, result.stderr) == (0, "")
    result = environment.run("python", "model/score.py", "--check")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 3


def test_training_says_which_extra_is_missing(environment: Environment) -> None:
    result = environment.run("vaead", "train", "--dataset", "digits", "--normal", "1", "--epochs", "1")
    assert (result.returncode, result.stdout) == (2, "")
    error = "Error: TensorFlow must be installed to train, got none; pip install vaead[train]\n"
    assert result.stderr.endswith(error)
    assert "Traceback" not in result.stderr


def test_trained_models_belong_into_the_data_folder_of_the_user(environment: Environment) -> None:
    program = (
        "from vaead import ClassSource, ModelStore, Recipe\n"
        "for epochs in (None, 1):\n"
        "    recipe = Recipe.from_preset('article', ClassSource('digits', 1), epochs=epochs)\n"
        "    print(ModelStore().folder(recipe))\n"
    )
    result = environment.run("python", "-c", program)
    assert result.returncode == 0, result.stderr
    shipped, own = (Path(line) for line in result.stdout.splitlines())
    assert shipped.parts[-5:] == ("shipped", "models", "digits", "1", "article")
    assert own == environment.data / "vaead" / "models" / "digits" / "1" / "article+epochs1"


def test_page_is_drawn(environment: Environment) -> None:
    result = environment.run("python", "-c", APP)
    assert (result.returncode, result.stdout) == (0, "[] True\n"), result.stderr


def test_app_starts_with_its_settings(environment: Environment) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [environment.python.with_name("vaead"), "app", f"--port={port}", "--server.address=127.0.0.1"]
    with subprocess.Popen(
        command, cwd=environment.work, env=environment.variables, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert _answer(f"http://127.0.0.1:{port}/_stcore/health") == "ok"
        finally:
            server.terminate()
        output, _ = server.communicate()
    # Streamlit only leaves out its question about statistics where `gatherUsageStats` is set.
    assert f"http://127.0.0.1:{port}" in output
    assert "Collecting usage statistics" not in output


def _answer(url: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
