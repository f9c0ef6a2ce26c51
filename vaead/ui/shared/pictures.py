"""Pictures that a page holds itself."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from vaead.plots.png import to_png


def data_url(picture: NDArray[np.uint8] | bytes) -> str:
    """An address that holds a picture: pixels (H, W), or a JPEG.

    The server forgets the pictures of a page when it draws the next one, and a browser that is slow to ask
    for them would find them gone.
    """
    kind, content = ("jpeg", picture) if isinstance(picture, bytes) else ("png", to_png(picture))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
