"""Imports point one way: the docstring of each package says which other parts of vaead it may import."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import vaead

ROOT = Path(vaead.__file__).parent
PAGES = ("compare", "evaluate", "method", "your_images")

# Modules beside the packages; `vaead` itself and `__main__` only hand on what others do.
MODULES = {
    "errors": set(),
    "version": set(),
    "shipped": set(),
    "config": {"errors"},
    "paths": {"errors"},
    "presets": {"config"},
    "ignored": {"config"},
    "recipe": {"presets", "ignored"},
    "photo_defaults": {"data", "recipe"},
    "detector": {"training", "inference"},
    "vaead": {"detector", "inference"},
    "__main__": {"cli"},
}


def _stated(package: str) -> set[str]:
    docstring = (
        ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    )
    (stated,) = re.findall(r"May import ([\w, .]+?)\.(?:\s|$)", docstring)
    return set(re.split(r", | and ", stated)) - {"nothing"}


PACKAGES = {each.name: _stated(each.name) for each in ROOT.iterdir() if (each / "__init__.py").exists()}
TABLE = MODULES | PACKAGES


def _imports() -> Iterator[tuple[str, str]]:
    """Each import, also inside functions: the module that imports, and what."""
    for file in sorted(ROOT.rglob("*.py")):
        module = ".".join(file.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((module, name.name) for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module}: imports must be absolute"
                yield from ((module, f"{node.module}.{name.name}") for name in node.names)


IMPORTS = list(_imports())


def _part(module: str) -> str:
    """Package or module of vaead that a name belongs to."""
    part = module.split(".")[1] if "." in module else "vaead"
    return part if part in TABLE else "vaead"


def _allowed(part: str) -> set[str]:
    """What a part may import: what is stated, and what that may import."""
    return TABLE[part].union(*map(_allowed, TABLE[part]))


def _importers(library: str) -> set[str]:
    return {module for module, name in IMPORTS if name.partition(".")[0] == library}


@pytest.mark.parametrize("part", TABLE)
def test_part_imports_only_what_its_docstring_says(part: str) -> None:
    inner = [(module, name) for module, name in IMPORTS if module != name and name.startswith("vaead.")]
    used = {(module, _part(name)) for module, name in inner if _part(module) == part != _part(name)}
    assert {(module, other) for module, other in used if other not in _allowed(part)} == set()


@pytest.mark.parametrize("part", TABLE)
def test_there_is_no_circle(part: str) -> None:
    assert part not in _allowed(part)  # a circle elsewhere would never end


@pytest.mark.parametrize("folder", [*PAGES, "shared"])
def test_pages_never_import_each_other(folder: str) -> None:
    pages = [f"vaead.ui.{page}." for page in PAGES if page != folder]
    mine = [name for module, name in IMPORTS if module.startswith(f"vaead.ui.{folder}")]
    assert [name for name in mine if f"{name}.".startswith(tuple(pages))] == []


def test_only_training_imports_tensorflow() -> None:
    assert {_part(module) for module in _importers("tensorflow") | _importers("keras")} == {"training"}


def test_only_the_interface_and_the_command_that_starts_it_import_streamlit() -> None:
    assert {_part(module) for module in _importers("streamlit") - {"vaead.cli.app"}} == {"ui"}


def test_interface_never_trains_in_its_own_process() -> None:
    assert [module for module, name in IMPORTS if _part(module) == "ui" and _part(name) == "training"] == []
