"""Programs of strangers: what is refused before LiteRT sees it."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from vaead.errors import ModelFormatError
from vaead.model.model import Model
from vaead.scoring.loss_terms import Array
from vaead.scoring.patch_scorer import PatchScorer, batch_size
from vaead.scoring.program_check import require_bounded

Change = Callable[[Any], None]


def changed(program: bytes, change: Change) -> bytes:
    """A program after a change of its parts, as the schema names them."""
    model = schema.ModelT.InitFromPackedBuf(program, 0)
    change(model)
    builder = flatbuffers.Builder(len(program))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operators(model: Any, name: str) -> Iterator[tuple[Any, Any]]:
    """All operators of a kind, each with its subgraph."""
    number = getattr(schema.BuiltinOperator, name)
    kinds = [index for index, code in enumerate(model.operatorCodes) if code.builtinCode == number]
    for graph in model.subgraphs:
        yield from ((graph, each) for each in graph.operators if each.opcodeIndex in kinds)


def rename(old: str, new: str) -> Change:
    def change(model: Any) -> None:
        for code in model.operatorCodes:
            if code.builtinCode == getattr(schema.BuiltinOperator, old):
                code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, new)

    return change


def constant(model: Any, graph: Any, numbers: Any) -> int:
    """Add a constant; returns the index of its tensor."""
    array = np.asarray(numbers)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(array.tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.shape, tensor.buffer = list(array.shape), len(model.buffers) - 1
    tensor.type = schema.TensorType.FLOAT32 if array.dtype.kind == "f" else schema.TensorType.INT32
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def grow(model: Any) -> None:
    """Let a sum of a row and a column take far more room than both, twice."""
    graph, first = next(operators(model, "ADD"))
    wide, tall = (constant(model, graph, np.zeros(shape, np.float32)) for shape in ((1, 2**15), (2**15, 1)))
    first.inputs = [wide, tall]


def shape_from_pixels(model: Any) -> None:
    graph, reshape = next(operators(model, "RESHAPE"))
    reshape.inputs = [reshape.inputs[0], graph.inputs[0]]


def index_out_of_range(model: Any) -> None:
    graph, gather = next(operators(model, "GATHER"))
    gather.inputs = [gather.inputs[0], constant(model, graph, np.array([0, 10**6], np.int32))]


def data_elsewhere(model: Any) -> None:
    for buffer in model.buffers:
        if buffer.data is not None:
            buffer.data, buffer.offset, buffer.size = None, 10**6, 10**9


def many_operators(model: Any) -> None:
    graph = model.subgraphs[0]
    graph.operators = graph.operators * 20


def many_subgraphs(model: Any) -> None:
    model.subgraphs = model.subgraphs * 2


@pytest.fixture
def program(model: Model) -> bytes:
    return model.networks[0].program


@pytest.mark.parametrize("kind", ["model", "multi_scale", "photo_model"])
def test_programs_of_vaead_pass(request: pytest.FixtureRequest, kind: str) -> None:
    for network in request.getfixturevalue(kind).networks:
        require_bounded(network.program, batch_size)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (rename("LOGISTIC", "WHILE"), "the operator WHILE, which no program of vaead has"),
        (rename("MUL", "FILL"), "the operator FILL"),
        (rename("MUL", "CUSTOM"), "the operator CUSTOM"),
        (rename("SHAPE", "CAST"), "the operator CAST"),
        (shape_from_pixels, "a size or an index that is computed from pixels"),
        (grow, "one that needs more memory or time than any network"),
        (index_out_of_range, "an index out of range"),
        (data_elsewhere, "data outside its buffers"),
        (many_operators, "more operators than any network has"),
        (many_subgraphs, "another number of subgraphs"),
    ],
)
def test_program_that_may_do_harm_is_refused(program: bytes, change: Change, found: str) -> None:
    with pytest.raises(ModelFormatError, match=f"scorer must be a program of vaead, got {found}"):
        PatchScorer(changed(program, change))


def test_real_loop_is_refused() -> None:
    import tensorflow as tf

    def loop(patches: Array) -> Array:
        last = tf.cast(tf.reduce_sum(patches) * 1e9, tf.int32)
        return tf.while_loop(lambda i: i < last, lambda i: [i + 1], [tf.constant(0)])[0]

    function = tf.function(loop, input_signature=[tf.TensorSpec((None, 8, 8), tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    with pytest.raises(ModelFormatError, match=r"got (the operator|another number of subgraphs)"):
        PatchScorer(bytes(converter.convert()))


def test_size_is_that_of_a_full_batch(program: bytes) -> None:
    with pytest.raises(ModelFormatError, match="more memory or time"):
        require_bounded(program, lambda shape: 10**9 // math.prod(shape))


@pytest.mark.parametrize("seed", range(30))
def test_damaged_program_raises_nothing_else(program: bytes, seed: int) -> None:
    random_ = random.Random(seed)
    content = bytearray(program)
    for _ in range(random_.choice((1, 4, 64))):
        content[random_.randrange(random_.choice((64, 4096, len(content))))] = random_.randrange(256)
    with contextlib.suppress(ModelFormatError):  # in most places a number may be another one
        require_bounded(bytes(content[: random_.choice((len(content), len(content) // 2))]), batch_size)
