"""Why files are refused: sentences, errors, and the places in the code that make them."""

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import vaead
from vaead.data.photos import Rejected
from vaead.data.photos.reasons import PhotoError, refusal, sentences
from vaead.errors import InvalidInputError


def uses() -> Iterator[tuple[str, set[str] | None]]:
    """Kinds that the code names, and the values it gives; None where it puts them together elsewhere."""
    for source in Path(vaead.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("refusal", "note")
            ):
                kind = node.args[0]
                names = {keyword.arg for keyword in node.keywords}
                values = None if None in names else {name for name in names if name is not None}
                for each in (kind.body, kind.orelse) if isinstance(kind, ast.IfExp) else (kind,):
                    assert isinstance(each, ast.Constant), f"{source.name}:{node.lineno}"
                    yield str(each.value), values


def test_every_kind_is_used_and_every_use_has_a_kind() -> None:
    assert {kind for kind, _ in uses()} == set(sentences())


def test_every_place_of_a_sentence_is_filled_in() -> None:
    for kind, values in uses():
        if values is not None:
            assert values == {name for _, name, _, _ in Formatter().parse(sentences()[kind]) if name}, kind


def test_error_is_invalid_input_and_can_be_sent_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(refusal("small", name="a.png", least="8x8", found="3x4")))
    assert issubclass(PhotoError, InvalidInputError)
    assert isinstance(error, PhotoError)
    assert str(error).startswith("image 'a.png' must be at least 8x8 px, got 3x4 px; use")
    assert (error.reason.kind, error.reason.values["found"]) == ("small", "3x4")


def test_rejected_keeps_the_reason_of_a_refusal_and_the_text_of_any_error() -> None:
    refused = Rejected.of("a", refusal("empty", name="a"))
    assert refused.reason == "image 'a' must hold data, got 0 bytes; copy or export it again"
    assert refused.why is not None
    assert refused.why.kind == "empty"
    assert Rejected.of("b", InvalidInputError("no")) == Rejected("b", "no")
