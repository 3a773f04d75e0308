"""The C files of a digit model: the kernels it needs, its numbers, and a function a stage."""

import dataclasses
import hashlib

from export.microcontroller import c_text, storage
from export.microcontroller import plan as planning
from export.microcontroller.layers import Multiply, Pool

_ORDER = (
    *("rounding", "rounding_once", "output", "weights", "dense", "indexed", "sparse"),
    *("output_4", "dense_4", "indexed_4", "sparse_4"),
)
_TILES = ("depthwise", "average", "maximum", "margin", "softmax")
_FOUR = 2  # positions along a side of the tiles that have kernels of their own
ROUNDINGS = {
    "litert": "LiteRT's reference kernels",
    "tflm": "TensorFlow Lite for Microcontrollers' reference kernels",
}


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Bytes of flash of a network's constants."""

    weights: int
    scales: int
    tables: int


class Network:
    """A planned network with its weights stored.

    Args:
        plan: of ``plan.make``.
        smallest: whether weights are stored in the fewest bytes; else as they are.
    """

    def __init__(self, plan, smallest=True):
        self.plan = plan
        self.names, self.stored = {}, {}
        self.tables = []
        for stage in plan.stages:
            for layer in (stage.first, *stage.rest):
                self._add(layer, smallest)

    def _add(self, layer, smallest):
        name, number = layer.name, 2
        while name.lower() in {other.lower() for other in self.names.values()}:
            name, number = f"{layer.name}_{number}", number + 1
        self.names[id(layer)] = name
        if not isinstance(layer, Multiply):
            return
        if layer.table is not None and layer.table not in self.tables:
            self.tables.append(layer.table)
        kernel = layer.kernel
        if layer.depthwise:
            self.stored[id(layer)] = storage.dense(kernel)
        else:
            kernel = kernel.reshape(kernel.shape[0], kernel.shape[1], -1)
            self.stored[id(layer)] = storage.smallest(kernel) if smallest else storage.dense(kernel)

    @property
    def layers(self):
        """Layers with weights, in order."""
        return [
            layer for stage in self.plan.stages for layer in (stage.first, *stage.rest) if isinstance(layer, Multiply)
        ]

    def sizes(self):
        """The ``Sizes`` of what is constant."""
        scales = sum(4 * layer.maps + 5 * len(layer.multipliers) for layer in self.layers)
        return Sizes(sum(self.stored[id(layer)].size for layer in self.layers), scales, 256 * len(self.tables))

    def summary(self):
        """``(layer, storage, weights, bytes)`` of each layer with weights."""
        rows = []
        for layer in self.layers:
            form = self.stored[id(layer)]
            what = {
                "dense": "one byte a weight",
                "indexed": f"indices of {form.bits} bit{'s' * (form.bits > 1)} to a codebook",
                "sparse": f"codes of {8 - form.bits} bits of gap and {form.bits} of index",
            }[form.kind]
            rows.append((self.names[id(layer)], what, layer.kernel.size, form.size))
        return rows

    def code(self):
        """The kernels that are needed."""
        mixing = [layer for stage in self.plan.stages for layer in (stage.first, *filter(planning.mixes, stage.rest))]
        fours = [stage.first for stage in self.plan.stages if stage.tile == _FOUR]
        kinds = {self.stored[id(layer)].kind for layer in mixing if not any(layer is four for four in fours)}
        kinds |= {f"{self.stored[id(layer)].kind}_4" for layer in fours} | ({"output_4"} if fours else set())
        rest = [layer for stage in self.plan.stages for layer in stage.rest]
        kinds |= {layer.kind for layer in rest if isinstance(layer, Pool)}
        kinds |= {"depthwise"} if any(isinstance(layer, Multiply) and layer.depthwise for layer in rest) else set()
        kinds |= {"margin"} if self.plan.square else set()
        always = {"rounding", "rounding_once", "output", "weights", "softmax"}
        return "\n".join(c_text.kernel_text(name) for name in (*_ORDER, *_TILES) if name in kinds | always)

    def constants(self):
        """Definitions of all arrays and structures."""
        parts = [c_text.array("uint8_t", f"table_{index}", table) for index, table in enumerate(self.tables)]
        return "\n".join([*parts, *(self._layer(layer) for layer in self.layers)])

    def _layer(self, layer):
        name, form = self.names[id(layer)], self.stored[id(layer)]
        lines = [c_text.array("int8_t" if form.kind == "dense" else "uint8_t", f"{name}_codes", form.codes)]
        if form.counts is not None:
            lines.append(c_text.array("uint8_t", f"{name}_counts", form.counts))
        if form.codebook is not None:
            lines.append(c_text.array("int8_t", f"{name}_codebook", form.codebook))
        lines.append(c_text.array("int32_t", f"{name}_bias", layer.bias))
        lines.append(c_text.array("int32_t", f"{name}_multiplier", [multiplier for multiplier, _ in layer.multipliers]))
        lines.append(c_text.array("int8_t", f"{name}_shift", [shift for _, shift in layer.multipliers]))
        table = "0" if layer.table is None else f"table_{self.tables.index(layer.table)}"
        numbers = (int(len(layer.multipliers) > 1), int(layer.once), layer.zero, layer.lowest, layer.highest)
        lines.append(
            f"static const struct output {name}_output = {{{name}_bias, {name}_multiplier, {name}_shift, {table}, "
            f"{layer.maps},\n    {', '.join(map(str, numbers))}}};\n"
        )
        if not layer.depthwise:
            counts = f"{name}_counts" if form.counts is not None else "0"
            codebook = f"{name}_codebook" if form.codebook is not None else "0"
            rows, run = layer.kernel.shape[1], layer.kernel.shape[2] * layer.kernel.shape[3]
            lines.append(
                f"static const struct weights {name}_weights = "
                f"{{{name}_codes, {counts}, {codebook}, {form.step}, {form.bits}, {rows}, {run}}};\n"
            )
        return "".join(lines)

    def _multiply(self, layer, source, step, target):
        """A call that computes all maps of ``layer`` at one position."""
        name = self.names[id(layer)]
        kind = self.stored[id(layer)].kind
        return f"multiply_{kind}(&{name}_weights, &{name}_output, {source}, {step}, {target});"

    def stages(self):
        """A function for each stage that has several positions."""
        return "\n".join(
            self._stage(index, stage) for index, stage in enumerate(self.plan.stages) if not stage.first.full
        )

    def _function(self, index):
        return f"stage_{index + 1}"

    def _stage(self, index, stage):
        height, width, maps = stage.target
        first, scratch = stage.first, self.plan.maps
        across, row = stage.source[2], stage.source[1] * stage.source[2]
        jump = stage.tile * first.stride
        lines, source, step = [], "x", row
        if index == 0 and self.plan.square:
            square = scratch + stage.scratch
            side, margin = stage.source[0] - 2 * self.plan.margin, self.plan.margin
            corner = f"row * {jump} - {margin}, column * {jump} - {margin}"
            lines.append(f"cut_out(in, {side}, {corner}, {self.plan.square}, arena + {square});")
            source, step = f"arena + {square}", self.plan.square * across
        else:
            lines.append(f"const uint8_t *const x = in + row * {jump * row} + column * {jump * across};")
        tile = f"arena + {scratch}" if stage.rest else "out"
        if stage.tile == 1:
            lines.append(self._multiply(first, source, step, tile))
        elif stage.tile == _FOUR:
            name, kind = self.names[id(first)], self.stored[id(first)].kind
            places = f"{source}, {step}, {first.stride * across}, {first.stride * step}"
            lines.append(f"multiply_{kind}_4(&{name}_weights, &{name}_output, {places}, {tile});")
        else:
            down, right = first.stride * step, first.stride * across
            place = f"{source} + i / {stage.tile} * {down} + i % {stage.tile} * {right}"
            lines.append(f"for (int i = 0; i < {stage.tile**2}; ++i)")
            lines.append("    " + self._multiply(first, place, step, f"{tile} + i * {first.maps}"))
        lines += self._rest(stage, tile)
        names = [self.names[id(layer)] for layer in (first, *stage.rest)]
        what = " × ".join(map(str, stage.source)).replace("×", "x"), " x ".join(map(str, stage.target))
        body = "\n".join(f"            {line}" for line in lines)
        return (
            f"/* {', '.join(names)}: {what[0]} to {what[1]}. */\n"
            f"static void {self._function(index)}(const uint8_t *in, uint8_t *out)\n{{\n"
            f"    for (int row = 0; row < {height}; ++row)\n"
            f"        for (int column = 0; column < {width}; ++column) {{\n{body}\n"
            f"            out += {maps};\n        }}\n}}\n"
        )

    def _rest(self, stage, source):
        """Statements from a tile to a position of the output."""
        lines, positions, maps, free = [], stage.tile**2, stage.first.maps, stage.tile**2 * stage.first.maps
        for layer in stage.rest:
            target = "out" if layer is stage.rest[-1] else source
            if planning.mixes(layer):
                if target != "out":
                    target, free = f"arena + {self.plan.maps + free}", free + layer.maps
                lines.append(self._multiply(layer, source, 0, target))
                maps = layer.maps
            else:
                inside = layer.window[0] ** 2
                if isinstance(layer, Pool):
                    numbers = f"{source}, {inside}, {maps}, {layer.lowest}, {layer.highest}, {target}"
                    lines.append(f"{layer.kind}({numbers});")
                else:
                    name = self.names[id(layer)]
                    call = f"multiply_depthwise({name}_codes, &{name}_output, {source}, {inside}, {target});"
                    lines.append(call)
                positions //= inside
            source = target
        assert positions == 1
        return lines

    def calls(self):
        """The statements of ``predict`` from pixels to logits."""
        lines = []
        for index, stage in enumerate(self.plan.stages):
            source = "pixels" if stage.source_at is None else f"arena + {stage.source_at}"
            target = f"arena + {stage.target_at}"
            if stage.first.full:
                lines.append(self._multiply(stage.first, source, 0, target))
            else:
                lines.append(f"{self._function(index)}({source}, {target});")
        return "\n".join(f"    {line}" for line in lines)


def fields(network, *, name, title, labels, model, model_name, rounding, pixels, answers):
    """What the templates of the folder ``files`` have placeholders for.

    Args:
        network: a ``Network``.
        name: of the functions and files, a C identifier.
        title: of the network.
        labels: of its classes.
        model: bytes of the ``.tflite``.
        model_name: of its file.
        rounding: a key of ``ROUNDINGS``.
        pixels: ``uint8 (n, side, side, 1)``, digits for the self-test.
        answers: ``uint8 (n, classes)``, what they are to give.
    """
    plan, sizes, side = network.plan, network.sizes(), pixels.shape[1]
    summary = network.summary()
    lines = [f" * {layer}: {weights:,} weights in {size:,} bytes, {what}" for layer, what, weights, size in summary]
    return {
        **{"name": name, "guard": name.upper(), "title": c_text.comment(title), "side": side, "classes": len(labels)},
        "inside": f"; a digit of 28 x 28 in the middle of {side} x {side}" if side > 28 else "",
        "labels": "{" + ", ".join(f'"{c_text.escaped(label)}"' for label in labels) + "}",
        **{
            "model": c_text.comment(model_name),
            "model_size": f"{len(model):,}",
            "digest": hashlib.sha256(model).hexdigest()[:16],
        },
        "kernels": ROUNDINGS[rounding],
        **{"weights_size": f"{sizes.weights:,}", "scales_size": f"{sizes.scales:,}"},
        **{"tables_size": f"{sizes.tables:,}", "arena": plan.arena, "maps": plan.maps, "summary": "\n".join(lines)},
        **{"code": network.code(), "constants": network.constants(), "stages": network.stages()},
        **{"calls": network.calls(), "logits_at": plan.logits_at},
        "softmax": f"{plan.softmax.multiplier}, {plan.softmax.left}, {plan.softmax.least}",
        "count": len(pixels),
        "pixels": c_text.table(pixels.reshape(len(pixels), -1)),
        "answers": c_text.table(answers),
        "compile": f"cc -std=c99 -D{name.upper()}_SELFTEST_MAIN {name}.c {name}_selftest.c && ./a.out: exits with 0",
    }


def files(fields):
    """``{file name: text}`` of the network and its self-test; ``fields`` of the function of that name."""
    kinds = {".h": "network.h", ".c": "network.c", "_selftest.h": "selftest.h", "_selftest.c": "selftest.c"}
    return c_text.stamped({f"{fields['name']}{end}": c_text.template(file) for end, file in kinds.items()}, fields)
