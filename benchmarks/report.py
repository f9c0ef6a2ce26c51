"""Common parts of all benchmarks: the machine, the result file, tables in Markdown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
BEFORE = RESULTS / "before"
"""The run before, of each benchmark."""
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

    def beside(self, before: Table) -> Table:
        """The same with the figures of another run, where they are others, in brackets."""
        known = {row[0]: dict(zip(before.columns[1:], row[1:], strict=True)) for row in before.rows}
        rows = []
        for first, *cells in self.rows:
            old = [known.get(first, {}).get(column) for column in self.columns[1:]]
            pairs = zip(cells, old, strict=True)
            rows.append([first, *(now if was in (None, now) else f"{now} ({was})" for now, was in pairs)])
        return replace(self, rows=rows)


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
    """Write `results/<name>.json`: the result with the machine and the time. The last one is kept."""
    BEFORE.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{name}.json"
    if file.exists():
        file.replace(BEFORE / file.name)
    measured = datetime.now(UTC).isoformat(timespec="seconds")
    content = {"benchmark": name, "measured": measured, "machine": machine(), **result}
    file.write_text(json.dumps(content, indent=1) + "\n")


def load(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """Read a result, or None if it was never measured."""
    file = folder / f"{name}.json"
    return json.loads(file.read_text()) if file.is_file() else None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
