"""``python -m export.micro``: an 8-bit TFLite model of digits as C++ source for a microcontroller."""

import contextlib
import importlib.metadata
import pathlib
import re

from keras_classics import cli, files, locks
from keras_classics.errors import InputError

PROG = "python -m export.micro"
REJECTED = 1  # exit code of a model that is too large for the device, or answers otherwise there
LARGEST_DROP = 0.2  # percentage points of accuracy
# Share of digits whose outputs may be over one step apart. Of MNIST's 10,000 there is 1 with tanh and 12 with ReLU:
# both interpreters compute all layers bit for bit alike but the fully connected ones, where LiteRT rounds once and TFLM
# twice; one step there is more at the output of a digit that the network is in doubt about.
LARGEST_SHARE_APART = 0.005
_IMAGES = 1000
_TYPES = {"uint8": "std::uint8_t", "int8": "std::int8_t"}
_METHODS = {  # of MicroMutableOpResolver, where they are not the schema's names in capitals and small letters
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}
_PIXELS = {"uint8": "0 background to 255 stroke", "int8": "-128 background to 127 stroke (a pixel of 0-255 less 128)"}


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Run an 8-bit TFLite model in the interpreter for microcontrollers beside LiteRT's reference "
        f"kernels, on {_IMAGES:,} test digits, and write it as C++ source with the memory it was measured to need.",
        epilog=f"Exit codes: 0 written; 1 rejected and nothing written: larger than allowed, more than one step beside "
        f"LiteRT's outputs in more than {LARGEST_SHARE_APART:.1%} of the digits, or {LARGEST_DROP} points beside its "
        "accuracy; 2 something given cannot be used. Needs the extra micro.",
    )
    parser.add_argument(
        "model",
        type=cli.path,
        metavar="FILE.tflite",
        help="of python -m export.tflite --mode int8, best with --target micro",
    )
    parser.add_argument("--out", type=cli.path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--max-arena", type=cli.positive_int, metavar="BYTES", help="RAM that there is for the arena")
    parser.add_argument("--max-size", type=cli.positive_int, metavar="BYTES", help="flash that there is for the model")
    parser.add_argument(
        "--dataset",
        type=cli.dataset,
        default="embedded",
        metavar="NAME",
        help="of the digits: mnist, auto or embedded (default)",
    )
    cli.add_data_dir(parser)
    return parser


def opened(model, path):
    """What a digit model says of itself, and the classifier that runs it.

    Returns:
        ``(labels, classifier)``: strings, and a ``classifier.Classifier``.

    Raises:
        InputError: ``model`` (bytes of the file at ``path``) is none of ours, not of 8 bits, or not of digits.
    """
    import numpy as np

    from export.litert import metadata
    from export.litert.classifier import Classifier

    labels = metadata.read(model, path)["labels"]
    classifier = Classifier(model, path)
    if {classifier.dtype, np.dtype(classifier.output["dtype"]).name} - set(_TYPES):
        raise InputError(f"{path} is not of 8 bits from input to output; export it with --mode int8.")
    shape = classifier.image_shape
    if shape[0] != shape[1] or shape[0] < 28 or shape[2] != 1:
        raise InputError(f"{path} takes images of {' × '.join(map(str, shape))}; a digit has at least 28 × 28 × 1.")
    if len(labels) != classifier.output["shape"][-1]:
        raise InputError(f"{path} has {classifier.output['shape'][-1]} outputs and {len(labels)} labels.")
    return labels, classifier


def failures(size, arena, found, args):
    """Sentences on what keeps a model from a device; empty where nothing does.

    Args:
        size, arena: bytes of the file and of its arena.
        found: of ``interpreter.compare``.
        args: with ``max_size`` and ``max_arena``, bytes or None.
    """
    problems = []
    if args.max_size and size > args.max_size:
        problems.append(f"a model of {size:,} bytes, more than --max-size {args.max_size:,}")
    if args.max_arena and arena > args.max_arena:
        problems.append(f"an arena of {arena:,} bytes, more than --max-arena {args.max_arena:,}")
    if found["apart"] > LARGEST_SHARE_APART * found["images"]:
        problems.append(
            f"outputs more than one step beside LiteRT's for {found['apart']:,} of {found['images']:,} digits"
        )
    if abs(found["drop"]) > LARGEST_DROP:
        problems.append(f"{abs(found['drop']):.2f} points between its accuracy and LiteRT's, more than {LARGEST_DROP}")
    return problems


def resolver_method(operator):
    """``CONV_2D``, as the schema has it, to ``AddConv2D``, as ``MicroMutableOpResolver`` does."""
    words = operator.split("_")
    camel = "".join(word if word[0].isdigit() else word.capitalize() for word in words)
    return f"Add{_METHODS.get(operator, camel)}"


def sources(model, name, labels, classifier, run, found, pixels, digit):
    """The files: ``{file name: text}``.

    Args:
        model: bytes of the TFLite file.
        name: of that file, without its ending; of it the C++ namespace is made.
        labels, classifier: of ``opened``.
        run: a ``interpreter.Run`` whose first image is the test digit.
        found: of ``interpreter.compare``.
        pixels: of the test digit, as the model takes them.
        digit: its class.
    """
    from export.litert import flatbuffer
    from export.microcontroller import c_text, templates

    operators = sorted(set(flatbuffer.operators(model)))
    (height, width, channels), output = classifier.image_shape, run.outputs[0]
    space = _namespace(name)
    fields = {
        "name": space,
        "guard": space.upper(),
        "model": c_text.comment(f"{name}.tflite"),
        "model_size": len(model),
        "model_bytes": _rows(model),
        **{"arena": run.arena, "tensors": run.tensors, "report": "\n".join(run.report)},
        "interpreter": f"tflite-micro {importlib.metadata.version('tflite-micro')}",
        "shape": f"{height} x {width} x {channels}",
        **{"height": height, "width": width, "channels": channels},
        **{"input_type": _TYPES[classifier.dtype], "pixels_are": _PIXELS[classifier.dtype]},
        **_quantization("input", classifier.input),
        **{"output_type": _TYPES[output.dtype.name], "classes": len(labels)},
        **_quantization("output", classifier.output),
        "labels": ", ".join(f'"{_escaped(label)}"' for label in labels),
        "operators": ", ".join(operators),
        "operator_count": len(operators),
        "add_operators": "\n".join(
            f"  if (const int status = resolver.{resolver_method(operator)}()) return status;" for operator in operators
        ),
        "images": f"{found['images']:,}",
        **{"same": f"{found['images'] - found['apart']:,}", "steps": found["steps"]},
        "digit": digit,
        "pixels": _rows(pixels.ravel().tolist()),
        "expected": ", ".join(map(str, output.tolist())),
    }
    return c_text.stamped({file.format(space=space): text for file, text in templates.FILES.items()}, fields)


def _namespace(name):
    """The C++ namespace of a model, from the name of its file."""
    space = re.sub(r"\W", "_", name.lower(), flags=re.ASCII)
    return space if re.match(r"[a-z]", space) else f"model_{space}"


def _rows(values):
    return "\n".join("    " + " ".join(f"{value}," for value in values[i : i + 24]) for i in range(0, len(values), 24))


def _quantization(which, tensor):
    """Scale and zero point of a tensor as C++ writes them."""
    import numpy as np

    scale, zero_point = tensor["quantization"]
    text = np.format_float_scientific(np.float32(scale), trim="0")
    return {f"{which}_scale": text, f"{which}_zero_point": int(zero_point)}


def _escaped(text):
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}" for byte in text.encode())


def export(args):
    """Run, compare and write; the exit code."""
    from export.microcontroller import interpreter
    from keras_classics import datasets
    from keras_classics.recognition import untrusted

    path = pathlib.Path(args.model)
    datasets.check_name(args.dataset, datasets.DIGITS)
    if not path.is_file():
        raise InputError(f"there is no model {path}; make one with python -m export.tflite lenet5 --target micro.")
    interpreter.check_installed()
    folder = files.output_folder(args.out)
    locks.claim(folder, "sources")
    model = untrusted.read(path, reference=True)
    labels, classifier = opened(model, path)
    digit, run, found = _on_digits(args, model, classifier)
    print("\n".join(run.report))
    print(f"Model: {len(model):,} bytes; arena: {run.arena:,} bytes, of which {run.tensors:,} are tensors")
    print(
        f"On {found['images']:,} test digits: {found['accuracy']:.2%} right, LiteRT's reference kernels "
        f"{found['reference_accuracy']:.2%}; outputs within one of 256 steps for {found['images'] - found['apart']:,} "
        f"digits, {found['steps']} at most",
        flush=True,
    )
    problems = failures(len(model), run.arena, found, args)
    if problems:
        print(f"Rejected: {'; '.join(problems)}. Nothing was written.")
        return REJECTED
    texts = sources(model, path.stem, labels, classifier, run, found, *digit)
    files.check_targets(*(folder / name for name in texts))
    with contextlib.ExitStack() as stack:
        for name, text in texts.items():
            stack.enter_context(files.whole_file(folder / name)).write_text(text, encoding="utf-8")
    print(f"Wrote {', '.join(texts)} to {folder}")
    return 0


def _on_digits(args, model, classifier):
    """``((pixels, class) of the test digit, Run, comparison)``.

    The test digit is always the same one of those that come with the project, so that the same model gives the same
    files everywhere; it goes before the digits that are compared.
    """
    import numpy as np

    from export.litert.classifier import as_input
    from export.microcontroller import interpreter
    from keras_classics import datasets

    side = classifier.image_shape[0]
    first = datasets.load(datasets.EMBEDDED).padded(side).test.take(np.arange(1))
    if args.dataset != datasets.EMBEDDED:
        from keras_classics.runtime import start_tensorflow

        start_tensorflow()
    data = datasets.load(args.dataset, args.data_dir).padded(side)
    test = datasets.stratified(data.test, min(_IMAGES, len(data.test)))[0]
    print(f"Data: {data}", flush=True)
    pixels = as_input(np.concatenate([first.images, test.images]), classifier.dtype)
    run = interpreter.run(model, pixels)
    reference = interpreter.run_on_reference(model, pixels[1:])
    found = interpreter.compare(run.outputs[1:], reference, test.labels)
    return (pixels[0], int(first.labels[0])), run, found


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(args), PROG)


if __name__ == "__main__":
    main()
