"""Work on a Dask cluster of real processes, and a shared store on S3, played by a server in this process."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

import vaead
from vaead.cli import main
from vaead.model.files import CARD
from vaead.model.folder import load_model, save_model
from vaead.model.store import ModelStore
from vaead.paths import UrlPath
from vaead.processes.workers import Workers
from vaead.recipe import ClassSource, Recipe
from vaead.zoo.pretrain import is_measured, pretrain

ROOT = Path(vaead.__file__).parents[1]
WORKERS = 2
PHOTOS = 18
TIMEOUT_S = 60


class Made(NamedTuple):
    """Photos with defects and masks, and a model of them, on this machine and on S3."""

    photos: Path
    model: Path
    photos_url: str
    model_url: str


class Cluster(NamedTuple):
    """A scheduler, and workers that nobody starts again."""

    address: str
    workers: list[subprocess.Popen[bytes]]


def run(*arguments: object, exit_code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, result.output
    return result.stdout


@pytest.fixture(scope="module")
def bucket() -> Iterator[UrlPath]:
    """An S3 server with an empty bucket, which this process and those that it starts find by themselves."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patch:
        host, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name, value in (
            ("ACCESS_KEY_ID", "a"),
            ("SECRET_ACCESS_KEY", "b"),
            ("DEFAULT_REGION", "us-east-1"),
        ):
            patch.setenv(f"AWS_{name}", value)
        s3fs.S3FileSystem().mkdir("shared")
        yield UrlPath("s3://shared")
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture(scope="module")
def made(bucket: UrlPath, tmp_path_factory: pytest.TempPathFactory) -> Made:
    import s3fs

    folder = tmp_path_factory.mktemp("cluster")
    sizes = ["--train", 6, "--good", 8, "--defective", 2, "--scale", 0.2]
    run("screws", "--seed", 3, *sizes, folder / "screws")
    (folder / "screws/test/good/bad.png").write_bytes(b"")
    files = s3fs.S3FileSystem()
    files.put(str(folder / "screws"), "shared/screws", recursive=True)
    small = ["--scale", 1, "--patch-size", 16, "--stride", 2, "--epochs", 1, "--crops", 128]
    out = bucket / "models/own"
    printed = run("train", "--images", bucket / "screws", *small, "--out", out)
    assert printed == f"{out}\n"
    files.get("shared/models/own", str(folder / "model"), recursive=True)
    return Made(folder / "screws", folder / "model", f"{bucket}/screws", str(out))


@pytest.fixture(scope="module")
def cluster(bucket: UrlPath, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    file = tmp_path_factory.mktemp("scheduler") / "scheduler.json"
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard", "--scheduler-file", str(file)]
        return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    everyone = [start("scheduler", "--host", "127.0.0.1", "--port", "0")]
    try:
        await_that(file.is_file)
        everyone += [start("worker", "--nthreads", "1", "--no-nanny") for _ in range(WORKERS)]
        address = json.loads(file.read_text())["address"]
        with Workers("dask", address) as workers:
            await_that(lambda: workers.count == WORKERS)
        yield Cluster(address, everyone[1:])
    finally:
        for process in everyone:
            process.kill()  # to end politely takes them seconds
            process.wait(TIMEOUT_S)


def await_that(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def outputs(place: object) -> list[str]:
    names = {"--csv": "s.csv", "--maps": "maps", "--masks": "masks", "--report": "r.html"}
    return [f"{option}={place}/{name}" for option, name in names.items()] + [
        "--false-alarm-rate=0.2",
        "--json",
    ]


def contents(folder: Path) -> dict[str, bytes]:
    """All files but what a killed process may have left."""
    files = (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def local(made: Made, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, bytes]]:
    """What a run in this process prints, and the files that it writes."""
    out = tmp_path_factory.mktemp("local")
    printed = run("score", "--model", made.model, made.photos, *outputs(out), "--jobs", 1, exit_code=1)
    files = contents(out)
    assert len(json.loads(printed)) == PHOTOS
    assert len(files) == 2 + PHOTOS * (6 + 3)
    return printed, files


def test_processes_of_this_machine_find_the_same(
    made: Made, local: tuple[str, dict[str, bytes]], tmp_path: Path
) -> None:
    printed = run("score", "--model", made.model, made.photos, *outputs(tmp_path), "--jobs", 2, exit_code=1)
    assert (printed, contents(tmp_path)) == local


def test_cluster_on_a_shared_store_finds_the_same(
    made: Made, cluster: Cluster, bucket: UrlPath, local: tuple[str, dict[str, bytes]]
) -> None:
    out = bucket / "out"
    dask = ["--backend", "dask", "--address", cluster.address]
    printed = run("score", "--model", made.model_url, made.photos_url, *outputs(out), *dask, exit_code=1)
    here, there = str(made.photos), made.photos_url
    assert printed.replace(there, here) == local[0]
    files = {name: (out / name).read_bytes() for name in out.files()}
    assert files.keys() == local[1].keys()
    for name, content in local[1].items():
        assert files[name].replace(there.encode(), here.encode()) == content, name


def test_evaluation_on_a_cluster_finds_the_same(made: Made, cluster: Cluster) -> None:
    dask = ["--backend", "dask", "--address", cluster.address]
    urls = ["--model", made.model_url, "--images", made.photos_url]
    expected = run("evaluate", "--model", made.model, "--images", made.photos, "--json", exit_code=1)
    assert len(expected.splitlines()) == 6
    assert run("evaluate", *urls, "--json", exit_code=1) == expected
    assert run("evaluate", *urls, "--json", *dask, exit_code=1) == expected


def test_outputs_at_urls_never_replace_an_image(made: Made, bucket: UrlPath) -> None:
    image = f"{made.photos_url}/test/good/000.png"
    before = UrlPath(image).read_bytes()
    run("score", "--model", made.model_url, image, "--csv", image.replace("s3:", "s3a:"), exit_code=2)
    files = {f"{made.photos_url}/test/good/000.new.png": before}
    for file, content in files.items():
        UrlPath(file).write_bytes(content)
    run("score", "--model", made.model_url, image, *files, "--maps", UrlPath(image).parent, exit_code=2)
    for file in files:
        UrlPath(file).unlink()
    assert UrlPath(image).read_bytes() == before


def test_training_on_a_cluster_goes_to_the_shared_store(cluster: Cluster, bucket: UrlPath) -> None:
    store = ModelStore(f"{bucket}/store")
    recipe = Recipe.from_preset("position-aware", ClassSource("digits", 3), epochs=1, crops=128)
    with Workers("dask", cluster.address) as workers:
        assert not is_measured(recipe, store)
        assert list(pretrain([recipe], store, workers)) == [recipe]
        assert is_measured(recipe, store)
        created = store.load(recipe).card.created
        assert list(pretrain([recipe], store, workers)) == [recipe]
    assert store.load(recipe).card.created == created


def test_half_a_model_at_a_url_is_none(made: Made, bucket: UrlPath) -> None:
    model = load_model(made.model_url)
    folder = bucket / "half/digits/1/article"
    store = ModelStore(bucket / "half")
    save_model(folder, model)
    (folder / "network7.tflite.gz").write_bytes(b"of an older model with more networks")
    save_model(folder, model)
    assert set(folder.files()) == {CARD, "network0.tflite.gz", "reference0.npz", "windows.npz"}
    assert load_model(folder).card == model.card
    assert Recipe.from_preset("article", ClassSource("digits", 1)) in store
    (folder / CARD).unlink()
    assert Recipe.from_preset("article", ClassSource("digits", 1)) not in store


def test_worker_that_is_killed_loses_nothing(
    made: Made, cluster: Cluster, local: tuple[str, dict[str, bytes]], tmp_path: Path
) -> None:
    """Last, since the cluster is one worker short from here on."""
    maps = tmp_path / "maps"
    written: list[int] = []

    def kill() -> None:
        await_that(lambda: any(maps.rglob("*.npy")))
        written.append(len(list(maps.rglob("*.npy"))))
        os.kill(cluster.workers[0].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    dask = ["--backend", "dask", "--address", cluster.address]
    printed = run("score", "--model", made.model, made.photos, *outputs(tmp_path), *dask, exit_code=1)
    killer.join()
    assert written[0] < 3 * PHOTOS // 2
    assert cluster.workers[0].wait(TIMEOUT_S) == -signal.SIGKILL
    assert (printed, contents(tmp_path)) == local
    with (tmp_path / "s.csv").open(encoding="utf-8-sig", newline="") as table:
        names = [row["image"] for row in csv.DictReader(table)]
    assert len(names) == len(set(names)) == PHOTOS
