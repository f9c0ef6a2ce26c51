"""Common parts of all benchmarks: the machine, the result file, tables in Markdown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_LIBRARIES = ("numpy", "keras", "ai-edge-litert", "streamlit", "plotly")


@dataclass(frozen=True)
class Table:
    """A table of figures with its heading.

    Attributes:
        title: Heading, Markdown.
        columns: Names of the columns; the first one names the rows.
        rows: Cells as they are shown.
        note: A sentence below the table.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __str__(self) -> str:
        return "\n\n".join(filter(None, (f"## {self.title}", self.grid(), self.note)))

    def grid(self) -> str:
        """The table alone, Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine() -> dict[str, Any]:
    """The machine and the versions a figure was measured with."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{library: version(library) for library in _LIBRARIES},
    }


def save(name: str, result: dict[str, Any]) -> None:
    """Write `results/<name>.json`: the result with the machine and the time."""
    RESULTS.mkdir(exist_ok=True)
    measured = datetime.now(UTC).isoformat(timespec="seconds")
    content = {"benchmark": name, "measured": measured, "machine": machine(), **result}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def load(name: str) -> dict[str, Any] | None:
    """Read a result, or None if it was never measured."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.is_file() else None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
