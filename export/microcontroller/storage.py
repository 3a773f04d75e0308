"""How a layer's weights lie in flash: as they are, as indices to a codebook, or as the weights that are not 0."""

import dataclasses

import numpy as np

_INDEX_BITS = (1, 2, 4)  # whole indices in a byte
_CODE_BITS = 8  # of a sparse code: a gap and an index
_LONGEST_ROW = 255  # codes; a row's count is one byte


@dataclasses.dataclass(frozen=True)
class Stored:
    """Weights as the kernel ``multiply_<kind>`` reads them.

    Args:
        kind: "dense", "indexed" or "sparse".
        codes: int8 weights, or uint8 codes.
        counts: sparse: codes a row, uint8; else None.
        codebook: int8 values; None where there is none.
        step: values of each map's own codebook; 0: all maps share one.
        bits: of an index.
    """

    kind: str
    codes: np.ndarray
    counts: np.ndarray | None = None
    codebook: np.ndarray | None = None
    step: int = 0
    bits: int = 0

    @property
    def size(self):
        """Bytes of flash."""
        return sum(part.size for part in (self.codes, self.counts, self.codebook) if part is not None)


def smallest(kernel):
    """The ``Stored`` form of the fewest bytes of int8 weights ``(maps, rows, run)``; of equals, the simplest."""
    forms = [dense(kernel)]
    for shared in (True, False):
        forms += [form for form in (_indexed(kernel, shared), _sparse(kernel, shared)) if form is not None]
    return min(forms, key=lambda form: form.size)


def dense(kernel):
    """One byte a weight."""
    return Stored("dense", kernel.ravel())


def _codebooks(kernel, first):
    """``(indices, codebook)`` of each map: sorted values after those of ``first``."""
    values = [*first, *(int(value) for value in np.unique(kernel) if value not in first)]
    place = {value: index for index, value in enumerate(values)}
    return np.vectorize(place.__getitem__, otypes=[np.int64])(kernel), values


def _coded(kernel, shared, first=()):
    """``(indices like kernel, codebook, step)``."""
    if shared:
        indices, values = _codebooks(kernel, first)
        return indices, np.array(values, np.int8), 0
    parts = [_codebooks(of_map, first) for of_map in kernel]
    step = max(len(values) for _, values in parts)
    book = [[*values, *[0] * (step - len(values))] for _, values in parts]
    return np.stack([indices for indices, _ in parts]), np.array(book, np.int8).ravel(), step


def _indexed(kernel, shared):
    indices, codebook, step = _coded(kernel, shared)
    count = step or len(codebook)
    bits = next((bits for bits in _INDEX_BITS if count <= 1 << bits), None)
    if bits is None:
        return None
    in_byte = _CODE_BITS // bits
    rows = indices.reshape(-1, kernel.shape[2])
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % in_byte))).reshape(len(rows), -1, in_byte)
    codes = (rows << (bits * np.arange(in_byte))).sum(axis=2).astype(np.uint8)
    return Stored("indexed", codes.ravel(), None, codebook, step, bits)


def _sparse(kernel, shared):
    indices, codebook, step = _coded(kernel, shared, first=(0,))
    bits = max(1, ((step or len(codebook)) - 1).bit_length())
    if bits >= _CODE_BITS:
        return None
    longest, codes, counts = (1 << (_CODE_BITS - bits)) - 1, [], []
    for row in indices.reshape(-1, kernel.shape[2]):
        began, gap_from = len(codes), 0
        for place in np.flatnonzero(row):
            gap = int(place) - gap_from
            while gap > longest:  # a code of value 0 stands for itself too
                codes.append(longest << bits)
                gap -= longest + 1
            codes.append(gap << bits | int(row[place]))
            gap_from = int(place) + 1
        counts.append(len(codes) - began)
    if max(counts) > _LONGEST_ROW:
        return None
    return Stored("sparse", np.array(codes, np.uint8), np.array(counts, np.uint8), codebook, step, bits)
