"""Check of a LiteRT program before it is loaded: it always ends, and its memory and work are bounded.

A model may come from anybody, and its program with it. A program that passes has no loops, branches or calls
and is made of a few operators. Sizes depend on the shape of its input and on constants alone: no operator of
the set turns numbers of pixels into integers, so what holds for one input holds for all of the same shape.
They are computed here as LiteRT does, for a full batch, before any memory is taken.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from vaead.errors import ModelFormatError

_MOST_OPERATORS = 400
_MOST_TENSORS = 1_000
"""A subgraph of the largest networks has a quarter of these."""
_MOST_VALUES = 2**29
"""Of all tensors of a subgraph together, for one batch."""
_MOST_PRODUCTS = 2**40
"""Multiplications of a subgraph, for one batch."""
_MOST_DIMENSIONS = 8

Shape = tuple[int, ...]

_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RuntimeError, struct.error)
"""Exceptions of the FlatBuffers library and of NumPy for bytes that are no program."""


class _RefusedError(Exception):
    """The program breaks a rule; the text says what it has."""


@dataclass(frozen=True)
class _Value:
    """A tensor: its shape, and if it is made of integers, its numbers, else None."""

    shape: Shape
    integers: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class _Operator:
    """An operator with its inputs, and its options, which the schema gives as a table of bytes."""

    inputs: Sequence[_Value]
    table: Any
    n_outputs: int

    def options(self, kind: Any) -> Any:
        """The options as a class of the schema, with their default values where there are none."""
        found = kind()
        if self.table is None:
            raise _RefusedError("an operator without options")
        found.Init(self.table.Bytes, self.table.Pos)
        return found

    def integers(self, index: int) -> NDArray[np.int64]:
        """Numbers of an input that must be integers."""
        numbers = self.inputs[index].integers
        if numbers is None:
            raise _RefusedError("a size or an index that is computed from pixels")
        return numbers


def require_bounded(program: bytes, batch_size: Callable[[Shape], int]) -> None:
    """Raise ModelFormatError unless a program always ends, within bounds of memory and work.

    Args:
        program: Content of a LiteRT file.
        batch_size: From the shape of one input row to the largest number of rows of a call.
    """
    try:
        _check(schema.Model.GetRootAs(program, 0), batch_size)
    except _RefusedError as error:
        raise ModelFormatError(
            f"scorer must be a program of vaead, got {error}; train the model again"
        ) from error
    except _DAMAGED as error:
        raise ModelFormatError(
            "scorer must be a LiteRT program, got a file that cannot be read; train the model again"
        ) from error


def _check(model: Any, batch_size: Callable[[Shape], int]) -> None:
    if model.SubgraphsLength() != 1 or model.OperatorCodesLength() > _MOST_OPERATORS:
        raise _RefusedError("another number of subgraphs")
    codes = [_name(model.OperatorCodes(index)) for index in range(model.OperatorCodesLength())]
    _check_subgraph(model, model.Subgraphs(0), codes, batch_size)


def _name(code: Any) -> str:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = _NAMES.get(number, f"number {number}")
    if name not in _RULES:
        raise _RefusedError(f"the operator {name}, which no program of vaead has")
    return name


def _check_subgraph(model: Any, graph: Any, codes: list[str], batch_size: Callable[[Shape], int]) -> None:
    if graph.TensorsLength() > _MOST_TENSORS or graph.OperatorsLength() > _MOST_OPERATORS:
        raise _RefusedError("more operators than any network has")
    tensors = [graph.Tensors(index) for index in range(graph.TensorsLength())]
    values = {index: value for index, each in enumerate(tensors) if (value := _constant(model, each))}
    rows = {int(index): _shape(tensors[index])[1:] for index in graph.InputsAsNumpy()}
    count = min(batch_size(row) for row in rows.values())
    values |= {index: _Value((count, *row)) for index, row in rows.items()}
    products, n_values = 0, sum(math.prod(each.shape) for each in values.values())
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        name = codes[operator.OpcodeIndex()]
        # -1 stands for an input that is left out, such as the bias of a layer.
        inputs = [values[int(number)] for number in operator.InputsAsNumpy() if number >= 0]
        found = _RULES[name](_Operator(inputs, operator.BuiltinOptions(), operator.OutputsLength()))
        if any(each.shape and min(each.shape) < 0 for each in found):
            raise _RefusedError("a size below 0")
        outputs = [int(number) for number in operator.OutputsAsNumpy()]
        for number, value in zip(outputs, found, strict=True):
            if number in values:
                raise _RefusedError("a tensor that is computed twice")
            values[number] = value
            n_values += math.prod(value.shape)
        products += _products(name, inputs, found[0])
        if n_values > _MOST_VALUES or products > _MOST_PRODUCTS:
            raise _RefusedError("one that needs more memory or time than any network")


def _products(name: str, inputs: Sequence[_Value], output: _Value) -> int:
    """Multiplications of an operator; 8 for each value of one that takes no sums of products."""
    weights = inputs[1].shape if name in ("FULLY_CONNECTED", "CONV_2D") else ()
    return math.prod(output.shape) * (math.prod(weights[1:]) if weights else 8)


def _constant(model: Any, tensor: Any) -> _Value | None:
    """The value of a tensor that the file holds."""
    if tensor.IsVariable():
        raise _RefusedError("a tensor that outlives a call")
    buffer = model.Buffers(tensor.Buffer())
    if buffer.Offset() > 1:
        raise _RefusedError("data outside its buffers")
    if buffer.DataIsNone() or buffer.DataLength() == 0:
        return None
    shape = _shape(tensor)
    kind = _TYPES.get(tensor.Type())
    if kind is None or buffer.DataLength() != math.prod(shape) * kind.itemsize:
        raise _RefusedError("a constant of another type or size")
    if kind.kind == "f":
        return _Value(shape)
    return _Value(shape, buffer.DataAsNumpy().view(kind).reshape(shape).astype(np.int64))


def _shape(tensor: Any) -> Shape:
    if tensor.ShapeLength() > _MOST_DIMENSIONS:
        raise _RefusedError("a tensor of too many dimensions")
    return tuple(int(tensor.Shape(index)) for index in range(tensor.ShapeLength()))


def _broadcast(operator: _Operator) -> list[_Value]:
    """Value by value, with floating point numbers alone."""
    if any(each.integers is not None for each in operator.inputs):
        raise _RefusedError("arithmetic with integers")
    return [_Value(tuple(np.broadcast_shapes(*(each.shape for each in operator.inputs))))]


def _shape_of(operator: _Operator) -> list[_Value]:
    shape = operator.inputs[0].shape
    return [_Value((len(shape),), np.array(shape, np.int64))]


def _strided_slice(operator: _Operator) -> list[_Value]:
    """One number of a list of integers."""
    numbers, begin, end = (operator.integers(index) for index in range(3))
    masks = operator.options(schema.StridedSliceOptions)
    if numbers.ndim != 1 or begin.shape != (1,) or not masks.ShrinkAxisMask() or masks.BeginMask():
        raise _RefusedError("a slice of more than one number")
    if end[0] != begin[0] + 1:
        raise _RefusedError("a slice of more than one number")
    return [_Value((), numbers[begin[0]])]


def _pack(operator: _Operator) -> list[_Value]:
    numbers = np.array([int(operator.integers(index)) for index in range(len(operator.inputs))], np.int64)
    return [_Value(numbers.shape, numbers)]


def _reshape(operator: _Operator) -> list[_Value]:
    if len(operator.inputs) != 2:
        raise _RefusedError("a reshape without a shape")
    return [_Value(np.broadcast_to(np.int8(0), operator.inputs[0].shape).reshape(operator.integers(1)).shape)]


def _gather(operator: _Operator) -> list[_Value]:
    options = operator.options(schema.GatherOptions)
    values, indices, axis = operator.inputs[0].shape, operator.integers(1), options.Axis()
    if options.BatchDims() or not 0 <= axis < len(values) or indices.size == 0:
        raise _RefusedError("a gather of batches")
    if indices.min() < 0 or indices.max() >= values[axis]:
        raise _RefusedError("an index out of range")
    return [_Value((*values[:axis], *indices.shape, *values[axis + 1 :]))]


def _fully_connected(operator: _Operator) -> list[_Value]:
    values, (units, depth) = operator.inputs[0].shape, operator.inputs[1].shape
    return [_Value((math.prod(values) // depth, units))]


def _convolution(operator: _Operator) -> list[_Value]:
    options = operator.options(schema.Conv2DOptions)
    rows, height, width, _ = operator.inputs[0].shape
    channels, kernel_height, kernel_width, _ = operator.inputs[1].shape
    same = options.Padding() == schema.Padding.SAME
    sides = []
    for side, kernel, stride, dilation in (
        (height, kernel_height, options.StrideH(), options.DilationHFactor()),
        (width, kernel_width, options.StrideW(), options.DilationWFactor()),
    ):
        if stride < 1 or dilation != 1:
            raise _RefusedError("a convolution with gaps")
        sides.append(-(-(side if same else side - kernel + 1) // stride))
    return [_Value((rows, *sides, channels))]


def _concatenation(operator: _Operator) -> list[_Value]:
    shapes = [each.shape for each in operator.inputs]
    axis = operator.options(schema.ConcatenationOptions).Axis() % len(shapes[0])
    return [_Value((*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]))]


def _split(operator: _Operator) -> list[_Value]:
    shape, count = operator.inputs[1].shape, operator.n_outputs
    axis = int(operator.integers(0)) % len(shape)
    return [_Value((*shape[:axis], shape[axis] // count, *shape[axis + 1 :]))] * count


def _transpose(operator: _Operator) -> list[_Value]:
    shape, order = operator.inputs[0].shape, [int(axis) for axis in operator.integers(1)]
    if sorted(order) != list(range(len(shape))):
        raise _RefusedError("a transposition of other axes")
    return [_Value(tuple(shape[axis] for axis in order))]


_NAMES: dict[int, str] = {
    number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)
}
_TYPES: dict[int, np.dtype[Any]] = {
    schema.TensorType.FLOAT32: np.dtype("<f4"),
    schema.TensorType.FLOAT16: np.dtype("<f2"),
    schema.TensorType.INT32: np.dtype("<i4"),
    schema.TensorType.INT64: np.dtype("<i8"),
}
"""Types of constants."""
_RULES: dict[str, Callable[[_Operator], list[_Value]]] = {
    **dict.fromkeys(("ADD", "MUL", "MINIMUM", "MAXIMUM"), _broadcast),
    **dict.fromkeys(("COS", "DEQUANTIZE", "LOGISTIC", "SIN"), _broadcast),
    "SHAPE": _shape_of,
    "STRIDED_SLICE": _strided_slice,
    "PACK": _pack,
    "RESHAPE": _reshape,
    "GATHER": _gather,
    "FULLY_CONNECTED": _fully_connected,
    "CONV_2D": _convolution,
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "TRANSPOSE": _transpose,
}
"""The operators that programs of vaead have: from the inputs to the outputs."""
