"""Download of published data files into the user's cache folder.

A file counts as data only once its checksum is the published one; until then it has another name
(`*.part`). One process at a time downloads a dataset, the others wait for it.

Environment variables:
    VAEAD_CACHE_DIR: Folder for downloaded files, in place of the user's cache folder.
    VAEAD_MIRROR: Address of a folder with the same files, in place of the published one. The
        checksums stay the same.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from vaead.data.datasets.base import Progress
from vaead.errors import DataUnavailableError, InvalidInputError, VaeadError

if TYPE_CHECKING:
    import requests

CACHE_DIR_VARIABLE = "VAEAD_CACHE_DIR"
DATA_DIR_VARIABLE = "VAEAD_DATA_DIR"
MIRROR_VARIABLE = "VAEAD_MIRROR"
PUBLISHED_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

_CHUNK_BYTES = 1 << 16
_LOCK_TIMEOUT_S = 600.0
_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})


def cache_dir() -> Path:
    """Folder for downloaded files: `VAEAD_CACHE_DIR`, or else the user's cache folder."""
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import pooch  # slow to import

    return Path(pooch.os_cache("vaead"))


def mirror_url() -> str:
    """Address to download from, with a slash at its end: `VAEAD_MIRROR`, or else the published one.

    Raises:
        InvalidInputError: `VAEAD_MIRROR` is not an address on the web.
    """
    url = os.environ.get(MIRROR_VARIABLE) or PUBLISHED_URL
    if not url.startswith(("https://", "http://")):
        raise InvalidInputError(
            f"{MIRROR_VARIABLE} must be an address that starts with https:// or http://, got {url!r}; "
            "correct or unset it"
        )
    return url.rstrip("/") + "/"


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Attributes:
        name: Name of the file, both at the source and in the cache folder.
        size_bytes: Its published size, for progress alone.
        checksum: Algorithm and hexadecimal digits, such as "sha256:731c...".
    """

    name: str
    size_bytes: int
    checksum: str

    def is_intact(self, path: Path) -> bool:
        """True if `path` is this file, by its checksum."""
        if not path.is_file():
            return False
        import pooch  # slow to import

        algorithm, digits = self.checksum.split(":")
        return bool(pooch.file_hash(str(path), alg=algorithm) == digits)


@dataclass(frozen=True)
class DownloadConfig:
    """Address of a download, and its time limits.

    Attributes:
        base_url: Address of the folder that holds the files, with a slash at its end.
        connect_timeout_s: Seconds to wait for a connection.
        read_timeout_s: Seconds without a single byte after which a download counts as stalled.
        attempts: Tries for one file, at least 1. Only what may pass by itself is tried again.
        pause_s: Seconds between two tries.
    """

    base_url: str = field(default_factory=mirror_url)
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 20.0
    attempts: int = 2
    pause_s: float = 1.0


def fetch_files(
    dataset: str,
    files: Sequence[RemoteFile],
    on_progress: Progress | None = None,
    config: DownloadConfig | None = None,
) -> dict[str, Path]:
    """Return the files of a dataset, after a download of those not yet in the cache folder.

    Args:
        dataset: Name of the dataset, which is also its folder in the cache folder.
        files: The files wanted.
        on_progress: Called with the bytes received and the bytes to receive, over all the files that
            are downloaded; never if there are none. The first figure falls back when a file is tried
            again. What it raises ends the download.
        config: Source and time limits; the published source if None.

    Returns:
        The path of each file by its name.

    Raises:
        DataUnavailableError: A file could not be downloaded, or was not what was published.
        InvalidInputError: `VAEAD_MIRROR` is not an address on the web.
    """
    folder = cache_dir() / dataset
    try:
        if _missing(files, folder):
            folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(folder / ".lock", timeout=_LOCK_TIMEOUT_S):
                # Another process may have downloaded them in the meantime.
                _download_all(_missing(files, folder), folder, on_progress, config or DownloadConfig())
    except VaeadError:
        raise
    except filelock.Timeout as error:
        raise _unavailable(dataset, f"another process has been downloading to {folder} for long") from error
    except OSError as error:
        reason = f"the folder {folder} could not be used ({error.strerror or error})"
        raise DataUnavailableError(
            f"{dataset} could not be stored: {reason}; free some space, or set {CACHE_DIR_VARIABLE} to a "
            "folder that can be written"
        ) from error
    return {file.name: folder / file.name for file in files}


def _missing(files: Sequence[RemoteFile], folder: Path) -> list[RemoteFile]:
    """Those of the files that the folder does not hold intact."""
    return [file for file in files if not file.is_intact(folder / file.name)]


def _download_all(
    files: Sequence[RemoteFile], folder: Path, on_progress: Progress | None, config: DownloadConfig
) -> None:
    """Download files one after the other, with one progress over all of them."""
    total_bytes = sum(file.size_bytes for file in files)
    received_bytes = 0
    for file in files:
        bar = _ProgressBar(on_progress, received_bytes, file.size_bytes, total_bytes)
        _download(file, folder, bar, config)
        received_bytes += file.size_bytes


def _download(file: RemoteFile, folder: Path, bar: "_ProgressBar", config: DownloadConfig) -> None:
    """Download one file; it gets its name only when it is complete and intact."""
    part = folder / f"{file.name}.part"
    url = config.base_url + file.name
    try:
        _transfer(url, part, bar, config)
        if not file.is_intact(part):
            reason = f"the file at {url} does not have the published checksum"
            raise _unavailable(folder.name, reason)
        part.replace(folder / file.name)
    finally:
        part.unlink(missing_ok=True)


def _transfer(url: str, part: Path, bar: "_ProgressBar", config: DownloadConfig) -> None:
    """Copy what is at `url` to `part`, in as many tries as the config allows."""
    import pooch  # slow to import
    import requests

    downloader = pooch.HTTPDownloader(
        progressbar=bar,
        chunk_size=_CHUNK_BYTES,
        timeout=(config.connect_timeout_s, config.read_timeout_s),
        headers={"Accept-Encoding": "identity"},
    )
    for attempt in range(1, config.attempts + 1):
        try:
            bar.start()
            downloader(url, str(part), None)
            return
        except requests.RequestException as error:
            if attempt == config.attempts or not _is_transient(error):
                reason = _reason(error, config)
                raise _unavailable(part.parent.name, f"{reason} ({url})") from error
        time.sleep(config.pause_s)


def _is_transient(error: "requests.RequestException") -> bool:
    """True if the same request may succeed a moment later."""
    import requests

    if error.response is not None:
        return error.response.status_code in _TRANSIENT_STATUS
    passing = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, passing)


def _reason(error: "requests.RequestException", config: DownloadConfig) -> str:
    """Say in plain words why a request failed."""
    import requests

    if error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the server closed the connection before the end of the file"
    # A stall in the middle of a file is not a Timeout for requests, but a ConnectionError that says so.
    if isinstance(error, requests.ReadTimeout) or "Read timed out" in str(error):
        return f"the server sent nothing for {config.read_timeout_s:g} s"
    if isinstance(error, requests.ConnectionError):
        return "the server could not be reached"
    return f"the request failed with {type(error).__name__}"


def _unavailable(dataset: str, reason: str) -> DataUnavailableError:
    """Build the error for a dataset that could not be downloaded."""
    return DataUnavailableError(
        f"{dataset} could not be downloaded: {reason}; try again, or set {DATA_DIR_VARIABLE} to a folder "
        f"that holds {dataset}.npz"
    )


class _ProgressBar:
    """Turns what pooch tells a progress bar into calls of `on_progress`.

    Source: "Using custom progress bars" in the documentation of pooch, and `pooch.HTTPDownloader`,
    which counts whole chunks and fills the bar once more at the end.
    """

    def __init__(
        self, on_progress: Progress | None, before_bytes: int, size_bytes: int, total_bytes: int
    ) -> None:
        self.total = size_bytes  # Set by pooch to the length the server states, which is not needed.
        self._on_progress = on_progress
        self._before_bytes = before_bytes
        self._size_bytes = size_bytes
        self._total_bytes = total_bytes
        self._received_bytes = 0

    def start(self) -> None:
        """Count from 0, because a try begins."""
        self._received_bytes = 0
        self.update(0)

    def update(self, n_bytes: int) -> None:
        """Count bytes received, at most the size of the file."""
        self._received_bytes = min(self._received_bytes + n_bytes, self._size_bytes)
        if self._on_progress is not None:
            self._on_progress(self._before_bytes + self._received_bytes, self._total_bytes)

    def reset(self) -> None:
        """Nothing: pooch calls it to fill the bar at the end, which would show a jump back to 0."""

    def close(self) -> None:
        """Nothing: there is no bar to close."""
