"""Images, ZIPs and the page "Your images" as one visitor sees it."""

import io
import re
import zipfile
from typing import Any

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import Page
from vaead.datasets.screws import make_screw

OWN_IMAGES = """
import streamlit as st
from vaead.ui import links, own_images, state
links.remember()
with st.sidebar:
    texts = state.choose_language()
own_images.page(texts)
"""

File = tuple[str, bytes, str]


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def screw(index: int, defect: str | None = None, scale: float = 0.25) -> bytes:
    return png(make_screw(0, index, defect, scale=scale).image)


def mask(index: int, defect: str) -> bytes:
    return png(make_screw(0, index, defect, scale=0.25).mask.astype(np.uint8) * 255)


def screws(count: int, scale: float = 0.25) -> list[File]:
    return [(f"part {index}.png", screw(index, scale=scale), "image/png") for index in range(count)]


def zipped(files: dict[str, bytes]) -> File:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return "images.zip", buffer.getvalue(), "application/zip"


class OwnPage(Page):
    """The page "Your images"; the test harness cannot open the second page of an app."""

    def __init__(self, **link: str) -> None:
        self.app = AppTest.from_string(OWN_IMAGES, default_timeout=60)
        self.app.query_params.update(link)
        self.run()

    def upload(self, role: str, *files: File) -> None:
        """Upload files as "normal" or "judged" images."""
        uploader = next(each for each in self.app.file_uploader if f"own_{role}_" in each.key)
        uploader.set_value(list(files))
        self.run()

    @property
    def rejected(self) -> dict[str, str]:
        """The reason for each file that was left out."""
        return {
            re.sub(r"\\(.)", r"\1", name): re.sub(r"\\(.)", r"\1", reason)
            for table in self.app.table
            if "Why" in table.value
            for name, reason in zip(*table.value.to_dict("list").values(), strict=True)
        }

    @property
    def titles(self) -> list[str]:
        """The steps, whether they are open or folded away."""
        folded = [box.label for box in self.app.expander if box.label[:1].isdigit()]
        return folded + [title.value for title in self.app.subheader]

    @property
    def said(self) -> str:
        """All running text."""
        return "\n".join(element.value for element in (*self.app.markdown, *self.app.caption))

    @property
    def tiles(self) -> list[Any]:
        """The buttons of the gallery."""
        return [button for button in self.app.button if (button.key or "").startswith("own_tile_")]
