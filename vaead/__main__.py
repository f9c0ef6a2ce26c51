"""`vaead` and `python -m vaead`."""

import os
import sys
from pathlib import Path

from vaead.cli import main


def _mute_native_libraries() -> None:
    """Keep what TensorFlow and LiteRT write to file descriptor 2 from mixing with our one-line errors.

    Python's own standard error is moved to a copy of the descriptor first, so it stays as it is.
    """
    if sys.stderr is None:  # closed by who started us
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - until the end
        return
    sys.stderr = os.fdopen(
        os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors
    )
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def run() -> None:
    """Run the command line."""
    _mute_native_libraries()
    main()


if __name__ == "__main__":
    run()
