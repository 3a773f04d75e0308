"""``python -m export.micro``: an 8-bit TFLite model of digits as C++ source for TensorFlow Lite for Microcontrollers."""

import contextlib
import importlib.metadata
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

from keras_classics import cli
from keras_classics.errors import InputError

PROG = "python -m export.micro"
REJECTED = 1  # exit code when the model is not what the microcontroller needs, or answers otherwise there
ONE_STEP = 1  # of quantization: kernels may round a tie either way
LARGEST_DROP = 0.2  # percentage points of accuracy
_CHECK_IMAGES = 1000
_REPORT = re.compile(r"\[RecordingMicroAllocator\] (.*)")
_HEAD = re.compile(r"Arena allocation head (\d+) bytes")


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Write an 8-bit TFLite model as C++ source for TensorFlow Lite for Microcontrollers, with the arena "
        "measured in its own interpreter.",
        epilog="Exit codes: 0 written; 1 rejected, nothing written; 2 something given cannot be used.",
    )
    parser.add_argument("model", metavar="FILE.tflite", help="as python -m export.tflite writes it, in mode int8")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write to")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"compare the interpreter with LiteRT's reference kernels on {_CHECK_IMAGES:,} test digits",
    )
    parser.add_argument("--max-arena", type=cli.positive_int, metavar="BYTES", help="RAM that there is for the arena")
    parser.add_argument("--max-size", type=cli.positive_int, metavar="BYTES", help="flash that there is for the model")
    parser.add_argument(
        "--dataset", default="auto", metavar="NAME", help="of --check: mnist, embedded or auto (default)"
    )
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)")
    return parser


def run_on_microcontroller(model, images):
    """``model`` (bytes) in the microcontroller's interpreter, in a process of its own.

    Args:
        model: a TFLite file.
        images: ``uint8 (n, height, width, channels)``, n ≥ 1.

    Returns:
        ``(outputs, arena, report)``: outputs ``(n, classes)`` in the model's own type; the bytes of the smallest arena
        it runs in; and the lines of the interpreter's allocation report.

    Raises:
        InputError: ``tflite-micro`` is not installed, or its interpreter refuses the model.
    """
    import numpy as np

    check_installed()
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(pathlib.Path(folder) / name) for name in ("model.tflite", "images.npy", "result.npz")]
        pathlib.Path(paths[0]).write_bytes(model)
        np.save(paths[1], images)
        runner = [sys.executable, str(pathlib.Path(__file__).with_name("micro_runner.py")), *paths]
        done = subprocess.run(runner, capture_output=True, text=True, errors="replace")
        lines = done.stderr.strip().splitlines()
        if done.returncode:
            said = [line for line in lines if line and not line.startswith(("Traceback", " "))]
            reason = next((line for line in said if "op" in line.split() or "Didn't" in line), (said or ["?"])[-1])
            raise InputError(f"the interpreter for microcontrollers cannot run this model: {reason.rstrip('.')}.")
        result = np.load(paths[2])
        report = [match[1] for line in lines if (match := _REPORT.match(line))]
        return result["outputs"], int(result["arena"]), report


def check_installed():
    """Refuse to begin without the interpreter for microcontrollers.

    Raises:
        InputError: it is not installed.
    """
    if importlib.util.find_spec("tflite_micro") is None:
        raise InputError(
            "the interpreter for microcontrollers is not installed; pip install 'keras-classics[micro]' brings it."
        )


def run_on_reference(model, images):
    """Outputs ``(n, classes)`` of LiteRT's reference kernels, in the model's own type."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for image in images:
        interpreter.set_tensor(source, image[None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target)[0])
    return np.array(outputs)


def compare(model, split):
    """What the microcontroller answers beside LiteRT's reference kernels.

    Args:
        model: bytes of a TFLite file.
        split: a ``datasets.Split`` of test images of the model's size.

    Returns:
        A dict: ``images``; ``accuracy`` and ``reference_accuracy`` (0–1); ``drop`` between them in percentage points;
        ``steps``, by which the outputs differ at most.
    """
    outputs, _, _ = run_on_microcontroller(model, split.images)
    reference = run_on_reference(model, split.images)
    accuracy, expected = (float((rows.argmax(axis=1) == split.labels).mean()) for rows in (outputs, reference))
    return {
        "images": len(split),
        "accuracy": accuracy,
        "reference_accuracy": expected,
        "drop": round(100 * (expected - accuracy), 6),
        "steps": int(abs(outputs.astype(int) - reference.astype(int)).max()),
    }


def resolver_method(operator):
    """``CONV_2D``, as the schema has it, to ``AddConv2D``, as ``MicroMutableOpResolver`` does."""
    return "Add" + "".join(part if part[0].isdigit() else part.capitalize() for part in operator.split("_"))


def sources(model, path, digit, label):
    """The files for ``model``: ``{file name: text}``, and the arena's size in bytes.

    Args:
        model: bytes of a TFLite file that describes itself (``export.description``).
        path: of it; its name becomes that of the C++ namespace.
        digit: one image ``uint8 (height, width, channels)`` of the model's size.
        label: its class.

    Raises:
        InputError: the model is not one of 8 bits for digits, or the interpreter refuses it.
    """
    from export import description, flatbuffer, micro_templates
    from export.classifier import Classifier

    labels = description.read(model, path)["labels"]
    classifier = Classifier(model, path)
    kinds = {1: {"int8": "std::int8_t", "uint8": "std::uint8_t"}}[1]
    import numpy as np

    types = [kinds.get(np.dtype(tensor["dtype"]).name) for tensor in (classifier.input, classifier.output)]
    if None in types:
        raise InputError(f"{path} is not 8-bit throughout; export it in mode int8.")
    outputs, arena, report = run_on_microcontroller(model, digit[None])
    operators = sorted(set(flatbuffer.operators(model)))
    height, width, channels = digit.shape
    name = re.sub(r"\W", "_", path.stem.lower(), flags=re.ASCII)
    name = name if re.match(r"[a-z]", name) else f"model_{name}"
    head = next((match[1] for line in report if (match := _HEAD.match(line))), "?")
    fields = {
        "name": name,
        "guard": name.upper(),
        "model": path.name,
        "model_size": len(model),
        "model_bytes": _rows(model),
        "arena": arena,
        "head": head,
        "report": "\n".join(report),
        "interpreter": f"tflite-micro {importlib.metadata.version('tflite-micro')}",
        "shape": f"{height} x {width} x {channels}",
        **{"height": height, "width": width, "channels": channels},
        **{"input_type": types[0], "output_type": types[1], "classes": len(labels)},
        "input_scale": _number(classifier.input["quantization"][0]),
        "input_zero_point": classifier.input["quantization"][1],
        "output_scale": _number(classifier.output["quantization"][0]),
        "output_zero_point": classifier.output["quantization"][1],
        "labels": ", ".join('"' + _escaped(text) + '"' for text in labels),
        "operator_count": len(operators),
        "add_operators": "\n".join(
            f"  if (const int status = resolver.{resolver_method(operator)}()) return status;" for operator in operators
        ),
        "digit": label,
        "pixels": _rows(digit.tobytes()),
        "expected": ", ".join(map(str, outputs[0].tolist())),
    }
    templates = {
        f"{name}_model.h": micro_templates.MODEL_HEADER,
        f"{name}_model.cc": micro_templates.MODEL_SOURCE,
        f"{name}_settings.h": micro_templates.SETTINGS,
        f"{name}_test_digit.h": micro_templates.DIGIT,
        "main.cc": micro_templates.MAIN,
        "README.md": micro_templates.README,
    }
    return {file: template.substitute(fields) for file, template in templates.items()}, arena, report


def _rows(data):
    return "\n".join("    " + " ".join(f"{byte}," for byte in data[i : i + 24]) for i in range(0, len(data), 24))


def _number(value):
    text = repr(float(value))
    return text if "." in text or "e" in text else text + ".0"


def _escaped(text):
    return "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\' else "".join(f"\\{b:03o}" for b in c.encode())
        for c in text
    )


def export(args):
    """Measure, check if asked to, and write; the exit code."""
    from keras_classics import datasets

    path = pathlib.Path(args.model)
    if args.check:
        datasets.check_name(args.dataset, datasets.DIGITS)
    if not path.is_file():
        raise InputError(f"there is no model {path}; make one with python -m export.tflite lenet5.")
    check_installed()
    model = path.read_bytes()
    from export.classifier import Classifier

    shape = Classifier(model, path).image_shape
    if shape[0] != shape[1] or shape[0] < 28 or shape[2] != 1:
        raise InputError(f"{path} takes images of {' × '.join(map(str, shape))}, which are no digits.")
    # The digit is always one of those that come with the project, so that the same files are written everywhere.
    digits = datasets.load(datasets.EMBEDDED).padded(shape[0]).test
    files, arena, report = sources(model, path, digits.images[0], int(digits.labels[0]))
    print("\n".join(report))
    print(f"Model: {len(model):,} bytes; arena: {arena:,} bytes", flush=True)
    refused = _too_large(args, len(model), arena) or (args.check and _differs(args, model, shape[0]))
    if refused:
        print(f"Rejected: {refused}; nothing was written.")
        return REJECTED
    folder = cli.output_folder(args.out)
    cli.check_targets(*(folder / name for name in files))
    with contextlib.ExitStack() as stack:
        for name, text in files.items():
            stack.enter_context(cli.whole_file(folder / name)).write_text(text, encoding="utf-8")
    print(f"Wrote {', '.join(files)} to {folder}")
    return 0


def _too_large(args, size, arena):
    if args.max_size and size > args.max_size:
        return f"the model is larger than --max-size {args.max_size}"
    if args.max_arena and arena > args.max_arena:
        return f"the arena is larger than --max-arena {args.max_arena}"
    return None


def _differs(args, model, size):
    from keras_classics import datasets
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    data = datasets.load(args.dataset, args.data_dir).padded(size)
    found = compare(model, datasets.stratified(data.test, min(_CHECK_IMAGES, len(data.test)))[0])
    print(f"Data: {data}")
    print(
        f"On {found['images']:,} test images: {found['accuracy']:.2%} right, LiteRT's reference kernels "
        f"{found['reference_accuracy']:.2%}; outputs differ by {found['steps']} quantization steps at most",
        flush=True,
    )
    if found["steps"] > ONE_STEP:
        return f"outputs differ by {found['steps']} steps"
    if abs(found["drop"]) > LARGEST_DROP:
        return f"accuracy differs by {found['drop']:.2f} points"
    return None


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(args), PROG)


if __name__ == "__main__":
    main()
