"""Warnings about a training, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.i18n.format import percent
from vaead.i18n.texts import Texts


def training_warnings(networks: Iterable[TrainingDiagnostics], texts: Texts) -> Iterator[str]:
    """One sentence for each fault of each network, with advice."""
    for found in networks:
        values = {
            "explained": percent(max(0.0, found.explained_variance), digits=2),
            "error": f"{found.error_per_pixel:.3g}",
        }
        yield from (texts(f"training_warning.{name}", **values) for name in found.warnings)
