"""Sessions of the page Your images, each in one ZIP that can be opened again.

May import model, data and version.

>>> from vaead.session import is_session
>>> import io; is_session(io.BytesIO(b"no ZIP"), "notes.zip")
False
"""

from vaead.session.archive import (
    OpenSession,
    is_session,
    model_files,
    pack_model,
    read_session,
    write_session,
)
from vaead.session.record import Controls, KeptPhoto, Session

__all__ = [
    "Controls",
    "KeptPhoto",
    "OpenSession",
    "Session",
    "is_session",
    "model_files",
    "pack_model",
    "read_session",
    "write_session",
]
