"""Whether the bytes of a ``.tflite`` hold together: every offset in it leads to a place inside, every index to a thing.

LiteRT's Python interpreter follows a file's offsets unchecked. Here each table that can be reached is checked as the
FlatBuffers verifier of C++ does, by what the installed schema says of its fields; then what the tables say of each
other. Nothing is run.
"""

import functools
import math
import struct
import types

import numpy as np
from ai_edge_litert import schema_py_generated as schema

LARGEST = 2**31 - 1  # bytes of a file; offsets have 32 bits
LARGEST_ARENA = 2**30  # bytes that all tensors that are computed may claim
_TABLES = 200_000  # AlexNet has 200
_UNIONS = {
    "Details": "QuantizationDetails",
    "ArraySegments": "SparseIndexVector",
    "ArrayIndices": "SparseIndexVector",
}  # the enumeration of a union, where it is not called as the field is
TYPES = {number: name for name, number in vars(schema.TensorType).items() if name.isupper()}
_BYTES = {
    **{"FLOAT32": 4, "FLOAT16": 2, "BFLOAT16": 2, "FLOAT64": 8, "COMPLEX64": 8, "COMPLEX128": 16, "BOOL": 1},
    **{"INT8": 1, "INT16": 2, "INT32": 4, "INT64": 8, "UINT8": 1, "UINT16": 2, "UINT32": 4, "UINT64": 8},
}  # of an element; others are not counted in whole bytes


class DamagedError(ValueError):
    """The text says what is wrong; it goes after "is a damaged TFLite model: "."""


def check(model):
    """Check the bytes of a ``.tflite``.

    Raises:
        DamagedError: they do not hold together.
    """
    if len(model) > LARGEST:
        raise DamagedError(f"it has {len(model):,} bytes, more than {LARGEST:,}")
    try:
        _check_tables(model)
        _check_model(model, schema.Model.GetRootAs(model))
    except (struct.error, IndexError, TypeError, OverflowError) as error:  # tables that lie across one another
        raise DamagedError("what one table says of another leads out of the file") from error


class _Recorder:
    """Stands in for a table: notes what an accessor of the schema reads."""

    Bytes, Pos = b"", 0

    def Offset(self, slot):  # noqa: N802 (these are flatbuffers' names)
        self.slot = slot
        return 4

    def Vector(self, _):  # noqa: N802
        return 0

    def Get(self, flags, _):  # noqa: N802
        self.reads = flags.bytewidth
        return 0

    def String(self, _):  # noqa: N802
        self.reads = str
        return b""

    def Indirect(self, _):  # noqa: N802
        return 0

    def Union(self, *_):  # noqa: N802
        self.reads = None


@functools.cache
def _fields(kind):
    """``((slot, several, reads, name), …)`` of a class of the schema.

    ``reads``: bytes of a number, ``str``, the class of a table, or an enumeration of classes (a union).
    """
    found = []
    for name, accessor in vars(kind).items():
        beside = any(name.endswith(end) and name.removesuffix(end) in vars(kind) for end in ("Length", "AsNumpy"))
        if not isinstance(accessor, types.FunctionType) or beside or name == "Init" or name.endswith("IsNone"):
            continue
        several = accessor.__code__.co_argcount == 2
        table = kind()
        table._tab = recorder = _Recorder()
        result = accessor(table, 0) if several else accessor(table)
        reads = getattr(recorder, "reads", type(result))
        if reads is None:
            reads = getattr(schema, _UNIONS.get(name, name))
        found.append((recorder.slot, several, reads, name))
    return tuple(found)


def _check_tables(model):
    """Check that all that can be reached from the root lies inside ``model``."""
    tables = [(schema.Model, _followed(model, 0))]
    seen = set()
    while tables:
        entry = tables.pop()
        if entry in seen:
            continue
        seen.add(entry)
        if len(seen) + len(tables) > _TABLES:
            raise DamagedError(f"it has more than {_TABLES:,} parts")
        tables += _inside(model, *entry)


def _inside(model, kind, place):
    """Check one table, and return those it holds: ``[(class, place), …]``."""
    vtable = place - _number(model, place, "<i")
    slots, size = _number(model, vtable), _number(model, vtable + 2)
    if vtable < 0 or slots < 4 or size < 4 or vtable + slots > len(model) or place + size > len(model):
        raise DamagedError(f"a {kind.__name__} at byte {place:,} reaches out of the file")
    tables = []
    for slot, several, reads, name in _fields(kind):
        offset = _number(model, vtable + slot) if slot + 2 <= slots else 0
        if not offset:
            continue
        width = reads if isinstance(reads, int) and not several else 4
        if offset < 4 or offset + width > size:
            raise DamagedError(f"{kind.__name__}.{name} at byte {place:,} lies outside its table")
        at = place + offset
        if several:
            tables += _several(model, reads, _followed(model, at), f"{kind.__name__}.{name}")
        elif reads is str:
            _check_text(model, _followed(model, at), f"{kind.__name__}.{name}")
        elif not isinstance(reads, int):
            chosen = reads if hasattr(reads, "Init") else _chosen(model, reads, vtable, slots, slot, place)
            if chosen is not None:
                tables.append((chosen, _followed(model, at)))
    return tables


def _chosen(model, enumeration, vtable, slots, slot, place):
    """The class that a union holds, by the number in the field before it; None: none."""
    offset = _number(model, vtable + slot - 2) if slot <= slots else 0
    number = model[place + offset] if offset else 0
    name = next((name for name, value in vars(enumeration).items() if value == number and name[0] != "_"), None)
    if name is None:
        raise DamagedError(f"it holds {enumeration.__name__} of an unknown kind, {number}")
    return getattr(schema, name, None)


def _several(model, reads, place, what):
    """Check a vector, and return the tables that it holds."""
    count, width = _number(model, place, "<I"), reads if isinstance(reads, int) else 4
    if place + 4 + count * width > len(model):
        raise DamagedError(f"{what} claims {count:,} elements, more than the file holds")
    if isinstance(reads, int):
        return []
    if count > _TABLES:
        raise DamagedError(f"it has more than {_TABLES:,} parts")
    places = [_followed(model, place + 4 + 4 * index) for index in range(count)]
    if reads is not str:
        return [(reads, place) for place in places]
    for place in places:
        _check_text(model, place, what)
    return []


def _check_text(model, place, what):
    end = place + 4 + _number(model, place, "<I")
    try:
        if model[end] != 0:  # C++ reads up to there
            raise DamagedError(f"{what} has no end")
        model[place + 4 : end].decode()
    except (IndexError, UnicodeDecodeError) as error:
        raise DamagedError(f"{what} is no text") from error


def _number(model, place, form="<H"):
    if not 0 <= place <= len(model) - struct.calcsize(form):
        raise DamagedError("an offset in it leads out of the file")
    return struct.unpack_from(form, model, place)[0]


def _followed(model, place):
    return place + _number(model, place, "<I")


def _check_model(model, root):
    """Check what the tables of a model say of each other."""
    buffers = [_data_bytes(model, root.Buffers(index)) for index in range(root.BuffersLength())]
    if not root.SubgraphsLength():
        raise DamagedError("it has no graph")
    counts = []
    for index in range(root.SubgraphsLength()):
        graph = root.Subgraphs(index)
        counts.append(graph.TensorsLength())
        _check_tensors(graph, buffers)
        _check_operators(graph, root.OperatorCodesLength())
    for index in range(root.MetadataLength()):
        _check_index(root.Metadata(index).Buffer(), len(buffers), "its metadata", "buffer")
    for index in range(root.SignatureDefsLength()):
        signature = root.SignatureDefs(index)
        graph = _check_index(signature.SubgraphIndex(), len(counts), "a signature", "graph")
        entries = [signature.Inputs(place) for place in range(signature.InputsLength())]
        entries += [signature.Outputs(place) for place in range(signature.OutputsLength())]
        for entry in entries:
            _check_index(entry.TensorIndex(), counts[graph], "a signature", "tensor")


def _data_bytes(model, buffer):
    """Bytes of data of a buffer; 0: it has none."""
    start, size = buffer.Offset(), buffer.Size()  # of data outside the table, in very large files
    if start > 1 and start + size > len(model):
        raise DamagedError("a buffer reaches out of the file")
    return size if start > 1 else buffer.DataLength()


def _check_tensors(graph, buffers):
    claimed = 0
    for index in range(graph.TensorsLength()):
        tensor, name = graph.Tensors(index), f"tensor {index}"
        data = buffers[_check_index(tensor.Buffer(), len(buffers), name, "buffer")]
        shape = [int(side) for side in _array(tensor.ShapeAsNumpy())]
        if min(shape, default=0) < 0:
            raise DamagedError(f"{name} has a negative side")
        if tensor.Type() not in TYPES:
            raise DamagedError(f"{name} is of an unknown type, {tensor.Type()}")
        width = _BYTES.get(TYPES[tensor.Type()])
        wanted = math.prod(shape) * (width or 1)
        if data and width and not tensor.Sparsity() and wanted != data:
            raise DamagedError(f"{name} has {data:,} bytes of data where its shape needs {wanted:,}")
        claimed += 0 if data else wanted
        if claimed > LARGEST_ARENA:
            raise DamagedError(f"its tensors claim more than {LARGEST_ARENA:,} bytes")
        _check_quantization(tensor.Quantization(), shape, name)
    for what, indices in (("inputs", graph.InputsAsNumpy()), ("outputs", graph.OutputsAsNumpy())):
        for index in _array(indices):
            _check_index(int(index), graph.TensorsLength(), f"its list of {what}", "tensor")


def _check_quantization(quantization, shape, name):
    if quantization is None:
        return
    scales, zeros = _array(quantization.ScaleAsNumpy()), _array(quantization.ZeroPointAsNumpy())
    axis = quantization.QuantizedDimension()
    if len(zeros) not in (0, len(scales)):
        raise DamagedError(f"{name} has {len(scales)} scales and {len(zeros)} zero points")
    if not (np.isfinite(scales) & (scales >= 0)).all():
        raise DamagedError(f"{name} has a scale that is no positive number")
    if len(scales) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scales)):
        raise DamagedError(f"{name} has {len(scales)} scales, which none of its sides has")


def _check_operators(graph, codes):
    for index in range(graph.OperatorsLength()):
        operator, name = graph.Operators(index), f"operator {index}"
        _check_index(operator.OpcodeIndex(), codes, name, "operator code")
        for tensor in _array(operator.InputsAsNumpy()):
            if tensor != -1:  # an input that is left out
                _check_index(int(tensor), graph.TensorsLength(), name, "tensor")
        for tensor in (*_array(operator.OutputsAsNumpy()), *_array(operator.IntermediatesAsNumpy())):
            _check_index(int(tensor), graph.TensorsLength(), name, "tensor")


def _check_index(index, count, what, of):
    if not 0 <= index < count:
        raise DamagedError(f"{what} names {of} {index}; there are {count}")
    return index


def _array(values):
    """A vector as the schema gives it, which is 0 where there is none."""
    return np.zeros(0) if isinstance(values, int) else values
