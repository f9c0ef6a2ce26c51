"""requirements*.txt pin what pyproject.toml asks for."""

import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {
    "requirements.txt": ("train",),
    "requirements-cluster.txt": ("train", "cluster"),
    "requirements-dev.txt": ("train", "cluster", "dev"),
}


@pytest.mark.parametrize("file", EXTRAS)
def test_every_dependency_is_pinned_to_a_version_in_its_range(file: str) -> None:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    extras = (PROJECT["optional-dependencies"][extra] for extra in EXTRAS[file])
    wanted = [Requirement(line) for line in chain(PROJECT["dependencies"], *extras)]
    outside = {
        f"{each.name}{each.specifier}": versions.get(canonicalize_name(each.name))
        for each in wanted
        if each.name != PROJECT["name"]
        and not each.specifier.contains(versions.get(canonicalize_name(each.name), "0"))
    }
    assert outside == {}, "run `make lock`"
