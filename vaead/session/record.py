"""What a session remembers beside its photos and its model: `session.json`, read strictly into types.

A session may come from anybody: every value is one that the page itself could have written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec

from vaead.calibration.thresholds import require_rate
from vaead.config import Record, require_name, require_number, require_range
from vaead.data.photos.names import clean_name, is_image_name, require_text
from vaead.data.photos.reasons import refusal
from vaead.errors import InvalidInputError
from vaead.recipe import COLORS
from vaead.scoring.loss_terms import SCORES
from vaead.version import __version__

FORMAT_VERSION = 1
"""Another number whenever one vaead could not read what another writes."""
MOST_BEFORE = 20
"""Calibrations that can be undone in a session that is opened again."""

_DIGEST = re.compile(r"[0-9a-f]{32}")
_FILE = re.compile(r"(?:photos|masks)/[0-9-]{1,16}\.[a-z]{3,4}")
_LONGEST_TEXT = 4096
_LONGEST_WORD = 40
_LARGEST_PATCH = 128

Role = Literal["normal", "validation", "test"]
Box = tuple[float, float, float, float]


class KeptPhoto(Record, frozen=True):
    """A photo of a session.

    Attributes:
        name: Its name as it was uploaded, a clean relative path.
        digest: See `vaead.data.photos.pixel_digest`; by it the photo is known again.
        role: "normal" to train on, "validation" to calibrate with, or "test".
        defect: Kind of defect, 'good' for a normal one, None where nothing is known.
        file: Its file in the ZIP; None where only the digest is kept.
        masks: Files of its masks in the ZIP.
    """

    name: str
    digest: str
    role: Role
    defect: str | None = None
    file: str | None = None
    masks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.name) > _LONGEST_TEXT or clean_name(self.name) != self.name:
            raise InvalidInputError(f"name must be a clean relative path, got {self.name[:80]!r}")
        _require_digests([self.digest])
        if self.defect is not None:
            require_text(self.defect)
            require_range("length of defect", len(self.defect), 1, _LONGEST_TEXT)
        for file in (*([self.file] if self.file is not None else []), *self.masks):
            if not (_FILE.fullmatch(file) and is_image_name(file)):
                raise InvalidInputError(f"file must have a made-up name of a session, got {file[:80]!r}")


class Controls(Record, frozen=True):
    """Values of the controls for a training; None where the page shows none."""

    color: str | None = None
    aligned: bool | None = None
    light: bool | None = None
    scale: float | None = None
    patch: int | None = None
    stride: int | None = None
    epochs: int | None = None
    crops: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.color is not None:
            require_name("color", self.color, tuple(COLORS))
        if self.scale is not None:
            require_number("scale", self.scale, 0.01, 1.000001)
        if self.patch is not None and self.patch % 4:
            raise InvalidInputError(f"patch must be a multiple of 4, got {self.patch}")
        ranges = {
            "patch": (4, _LARGEST_PATCH),
            "stride": (1, _LARGEST_PATCH),
            "epochs": (1, 100),
            "crops": (128, 1_000_000),
            "seed": (0, 999_999),
        }
        for name, (low, high) in ranges.items():
            if getattr(self, name) is not None:
                require_range(name, getattr(self, name), low, high)


class Session(Record, frozen=True):
    """A session, without the pixels of its photos and the files of its models.

    Attributes:
        photos: All photos.
        controls: Settings of the next training.
        boxes: Boxes on normal photos that are left out: left, top, right, bottom as shares of the sides.
        score: The score that decides.
        false_alarm_rate: Share of normal photos that may be flagged.
        models: 0 without a model; else 1, and 1 more for each calibration that can be undone.
        normals: Digests of the normal photos that the model was trained with; None where nobody knows.
        taken: Test photos, by their place in `photos`, that the model was calibrated with because they were
            called normal, in this order.
        missed: Test photos, by place, that were called anomalous although they were not flagged.
        created: Date and time in UTC, ISO 8601.
        vaead: Version of vaead that wrote it.
    """

    photos: tuple[KeptPhoto, ...]
    controls: Controls = Controls()
    boxes: tuple[Box, ...] = ()
    score: str = "calibrated"
    false_alarm_rate: float = 0.05
    models: int = 0
    normals: tuple[str, ...] | None = None
    taken: tuple[int, ...] = ()
    missed: tuple[int, ...] = ()
    created: str = ""
    vaead: str = __version__

    def __post_init__(self) -> None:
        require_name("score", self.score, SCORES)
        require_rate(self.false_alarm_rate)
        require_range("models", self.models, 0, MOST_BEFORE + 1)
        _require_digests(self.normals or ())
        for name in ("created", "vaead"):
            require_text(getattr(self, name))
            require_range(f"length of {name}", len(getattr(self, name)), 0, _LONGEST_WORD)
        files = [file for each in self.photos for file in (each.file, *each.masks) if file is not None]
        if len(set(files)) < len(files):
            raise InvalidInputError("files must belong to one photo each, got one twice")
        for places in (self.taken, self.missed):
            _require_test(places, self.photos)
        if len(self.taken) < self.models - 1 or (self.taken and not self.models):
            raise InvalidInputError(
                f"taken must hold a photo a calibration, got {len(self.taken)} for {self.models} models"
            )

    @property
    def missing(self) -> int:
        """Number of photos that are not in the ZIP."""
        return sum(each.file is None for each in self.photos)

    def to_json(self) -> bytes:
        """The session as `session.json`."""
        return msgspec.json.encode(_SessionFile(FORMAT_VERSION, self.vaead, self))

    @classmethod
    def from_json(cls, content: bytes, name: str) -> Session:
        """Read a session.

        Args:
            content: The content of `session.json`.
            name: Name of the ZIP in messages.

        Raises:
            PhotoError: It is damaged or of another format.
        """
        try:
            found = msgspec.json.decode(content, type=_Version)
            if found.format_version == FORMAT_VERSION:
                return msgspec.json.decode(content, type=_SessionFile).session
        except (ValueError, LookupError, RecursionError) as error:
            raise refusal("session_damaged", name=name, problem=str(error)[:300]) from error
        writer = found.vaead[:_LONGEST_WORD] if isinstance(found.vaead, str) else "?"
        raise refusal("session_version", name=name, writer=writer, own=__version__)


class _Version(msgspec.Struct):
    """The two fields that sessions of all formats have; all others are passed over."""

    format_version: Any
    vaead: Any = None


class _SessionFile(Record, frozen=True):
    format_version: int
    vaead: str
    session: Session


def _require_digests(digests: Collection[str]) -> None:
    strange = next((each for each in digests if not _DIGEST.fullmatch(each)), None)
    if strange is not None:
        raise InvalidInputError(f"digest must have 32 hexadecimal digits, got {strange[:80]!r}")


def _require_test(places: Sequence[int], photos: Sequence[KeptPhoto]) -> None:
    """Places of corrections must be those of different test photos."""
    tests = {place for place, each in enumerate(photos) if each.role == "test"}
    if len(set(places)) < len(places) or not tests.issuperset(places):
        raise InvalidInputError(f"corrections must be of different test photos, got {list(places)[:9]}")
