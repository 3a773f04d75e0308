"""``python -m export.micro MODEL.tflite``: C++ source for a microcontroller, of a model measured in its interpreter."""

import contextlib
import dataclasses
import hashlib
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from keras_classics import cli
from keras_classics.errors import InputError

PROG = "python -m export.micro"
REJECTED = 1  # exit code of a model that is too large for the device, or answers otherwise there
_CHECKED = 1_000  # digits
_MAX_STEPS = 1  # by which the outputs for a digit may differ from those of the reference kernels
# Both interpreters' FULLY_CONNECTED round about one sum in a thousand otherwise, by one step; tanh and softmax are steep
# enough in places to make several of one.
_MIN_CLOSE = 0.99  # share of the digits
_MAX_DROP = 0.2  # percentage points by which accuracy may
_TYPES = {np.uint8: "uint8_t", np.int8: "int8_t"}


@dataclasses.dataclass(frozen=True)
class Run:
    """A model in the microcontroller's interpreter.

    Args:
        outputs: ``(n, classes)`` integers.
        arena: bytes, the smallest that it works with.
        report: lines of the interpreter's own allocation report.
    """

    outputs: np.ndarray
    arena: int
    report: list


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Write C++ source for TensorFlow Lite for Microcontrollers around an int8 model of digits, and "
        "measure its memory in that interpreter.",
        epilog="Exit codes: 0 written; 1 rejected, nothing written; 2 something given cannot be used. Needs the extra "
        "micro.",
    )
    parser.add_argument("model", metavar="MODEL", help="a .tflite file that python -m export.tflite --mode int8 wrote")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to write the sources to")
    parser.add_argument(
        "--check",
        action="store_true",
        help=f"compare {_CHECKED:,} test digits with LiteRT's reference kernels: outputs of {100 * _MIN_CLOSE:g}%% of them "
        f"within one step, accuracy within {_MAX_DROP} points",
    )
    parser.add_argument("--max-arena", type=cli.positive_int, metavar="BYTES", help="reject a model that needs more")
    parser.add_argument("--dataset", default="auto", metavar="NAME", help="mnist, embedded or auto (default)")
    parser.add_argument("--data-dir", metavar="DIR", help="where TFDS data lies (or KERAS_CLASSICS_DATA_DIR)")
    return parser


def run_in_microcontroller(model, images):
    """A ``Run`` of ``model`` (bytes) on ``images`` (``(n, …)``, of the input's type), in a process of its own.

    Raises:
        InputError: the extra is not installed, or the interpreter cannot run the model.
    """
    if importlib.util.find_spec("tflite_micro") is None:
        raise InputError("the microcontroller's interpreter is not installed: pip install 'keras-classics[micro]'.")
    from export import micro_runner

    with tempfile.TemporaryDirectory() as name:
        files = [pathlib.Path(name) / each for each in ("model.tflite", "images.npy", "result.npz")]
        files[0].write_bytes(model)
        np.save(files[1], images)
        command = [sys.executable, "-m", "export.micro_runner", *map(str, files)]
        done = subprocess.run(command, cwd=pathlib.Path(__file__).parents[1], capture_output=True, text=True)
        if done.returncode or not files[2].is_file():
            raise InputError(f"the microcontroller's interpreter cannot run the model ({_reason(done)}).")
        with np.load(files[2]) as result:
            outputs, arena = result["outputs"], int(result["arena"])
    report = done.stderr.split(micro_runner.REPORT)[-1].strip().splitlines()
    return Run(outputs, arena, [line.removeprefix("[RecordingMicroAllocator] ") for line in report if line.strip()])


def _reason(done):
    """The interpreter's own words on what it does not know, else the last line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    known = [line for line in lines if "find op" in line or "not supported" in line]
    return (known or lines or [f"exit code {done.returncode}"])[-1].rstrip(".")


def run_in_reference(model, images):
    """Outputs ``(n, classes)``, integers, of LiteRT's reference kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for image in images:
        interpreter.set_tensor(first["index"], image[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(last["index"])[0])
    return np.array(rows)


def details(model, path):
    """LiteRT's descriptions of the one input and output.

    Raises:
        InputError: LiteRT cannot read the model, or it is none of grey pictures and 8 bits.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=model)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"LiteRT cannot run {path}: {str(error).splitlines()[0]}.") from error
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    shape = tuple(map(int, first["shape"]))
    for what, tensor in (("input", first), ("output", last)):
        if tensor["dtype"] not in _TYPES:
            raise InputError(
                f"{path} has an {what} of {np.dtype(tensor['dtype']).name}; expected 8 bits, as of "
                "python -m export.tflite --mode int8."
            )
    if len(shape) != 4 or shape[0] != 1 or shape[1] != shape[2] or shape[3] != 1:
        raise InputError(f"{path} takes {' × '.join(map(str, shape))}; expected one square grey picture of a digit.")
    return first, last


def quantized(pixels, tensor):
    """``uint8`` pixels as the integers that the input takes."""
    scale, zero = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.rint(pixels / scale + zero), limits.min, limits.max).astype(tensor["dtype"])


def compare(run, reference, labels):
    """Figures on two runs: ``steps`` (largest difference of outputs), ``close`` (share of digits whose outputs differ by
    one step at most), ``accuracy``, ``reference_accuracy`` (0–1) and ``drop`` (percentage points)."""
    accuracy, expected = ((outputs.argmax(axis=1) == labels).mean() for outputs in (run.outputs, reference))
    steps = np.abs(run.outputs.astype(int) - reference.astype(int)).max(axis=1)
    return {
        "steps": int(steps.max()),
        "close": float((steps <= _MAX_STEPS).mean()),
        "accuracy": float(accuracy),
        "reference_accuracy": float(expected),
        "drop": round(100 * float(expected - accuracy), 6),
    }


def export(args):
    """Run, compare, and write; the exit code."""
    from export import description
    from keras_classics import datasets

    path = pathlib.Path(args.model)
    if not path.is_file():
        raise InputError(f"there is no file {path}.")
    model = path.read_bytes()
    said = description.read(model, path)
    first, last = details(model, path)
    if len(said["labels"]) != last["shape"][-1]:
        raise InputError(f"{path} has {last['shape'][-1]} outputs and {len(said['labels'])} labels.")
    datasets.check_name(args.dataset, datasets.DIGITS)
    test = datasets.load(args.dataset, args.data_dir).padded(int(first["shape"][1])).test
    count = min(_CHECKED, len(test)) if args.check else 1
    images = quantized(test.images[:count], first)
    run = run_in_microcontroller(model, images)
    figures = compare(run, run_in_reference(model, images), test.labels[:count])
    print(f"Model: {path}, {len(model):,} bytes\nArena: {run.arena:,} bytes", flush=True)
    for line in run.report:
        print(f"  {line}")
    print(
        f"{count:,} test digits, beside LiteRT's reference kernels: outputs of {figures['close']:.1%} within one step, "
        f"of all within {figures['steps']}; accuracy {figures['accuracy']:.2%}, there {figures['reference_accuracy']:.2%}"
    )
    problems = failures(run, figures, args.max_arena)
    if problems:
        print(f"Rejected: {'; '.join(problems)}. Nothing was written.")
        return REJECTED
    _write(cli.output_folder(args.out), _sources(model, said, first, last, test, run))
    return 0


def failures(run, figures, max_arena):
    """Sentences on what keeps a model from a device; none if nothing does."""
    found = []
    if figures["close"] < _MIN_CLOSE:
        found.append(
            f"outputs of {figures['close']:.1%} of the digits are within one step of LiteRT's, fewer than {_MIN_CLOSE:.0%}"
        )
    if figures["drop"] > _MAX_DROP:
        found.append(f"{figures['drop']:.2f} points of accuracy lost, more than {_MAX_DROP}")
    if max_arena is not None and run.arena > max_arena:
        found.append(f"{run.arena:,} bytes of arena, more than --max-arena {max_arena:,}")
    return found


def _sources(model, said, first, last, test, run):
    from export import flatbuffer, micro_source

    scales = {}
    for name, tensor in (("input", first), ("output", last)):
        scale, zero = tensor["quantization"]
        text = np.format_float_positional(np.float32(scale), trim="0")
        scales |= {f"{name}_scale": text, f"{name}_zero": int(zero), f"{name}_type": _TYPES[tensor["dtype"]]}
    return micro_source.files(
        operators=flatbuffer.operators(model),
        model=model,
        pixels=test.images[0],
        output=run.outputs[0].tolist(),
        labels=said["labels"],
        label=int(test.labels[0]),
        title=f"{said['network']}, {said['mode']}",
        arena=run.arena,
        report="\n".join(run.report),
        sha256=hashlib.sha256(model).hexdigest(),
        height=int(first["shape"][1]),
        width=int(first["shape"][2]),
        **scales,
    )


def _write(folder, texts):
    """All files, or none of them."""
    cli.check_targets(*(folder / name for name in texts))
    with contextlib.ExitStack() as stack:
        for name, text in texts.items():
            stack.enter_context(cli.whole_file(folder / name)).write_text(text, encoding="utf-8")
    print(f"Wrote {', '.join(texts)} to {folder}")


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(args), PROG)


if __name__ == "__main__":
    main()
