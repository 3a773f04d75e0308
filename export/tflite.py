"""``python -m export.tflite``: turn a trained network into verified TFLite models for devices."""

import argparse
import dataclasses

from export import arguments, gate
from export.contract import CALIBRATED, LRN_FORMS, MODES, NETWORKS, PIXEL_TYPES, TFLITE_SUFFIX
from export.finetune import stages
from keras_classics import cli, files, locks
from keras_classics.errors import InputError

PROG = "python -m export.tflite"
_EXIT_CODES = (
    "Exit codes: 0 all written and verified; 1 a model was rejected and not written; 2 something given cannot be used."
)
# int16x8 has reference kernels alone: an image of AlexNet takes seconds.
_ALL_OF_ALEXNET = ("float32", "float16", "dynamic", "int8")


def _modes(text):
    chosen = MODES if text == "all" else tuple(text.split(","))
    unknown = [mode for mode in chosen if mode not in MODES]
    if unknown or len(set(chosen)) < len(chosen):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not all, nor some of {', '.join(MODES)} with commas between them"
        )
    return chosen


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Turn a trained network into TFLite models of raw pixels, and verify each on the whole test split.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument(
        "network",
        type=cli.path,
        metavar="MODEL",
        help=f"{', '.join(NETWORKS)}, or the path of a .keras file of one of them",
    )
    parser.add_argument(
        "--mode",
        default=("int8",),
        type=_modes,
        metavar="MODES",
        help=f"{', '.join(MODES)}, several with commas between them, or all (default: int8)",
    )
    parser.add_argument(
        "--io",
        default="uint8",
        choices=PIXEL_TYPES,
        metavar="TYPE",
        help="of the input: uint8 pixels 0-255, int8 pixels less 128, float32 pixels 0-255 (default: %(default)s)",
    )
    parser.add_argument(
        "--lrn",
        default="auto",
        choices=("auto", *LRN_FORMS),
        metavar="FORM",
        help="AlexNet's normalization, in float32 in all modes: TensorFlow's operator, or a banded product (default: "
        "auto, native in int16x8 and banded in the others)",
    )
    arguments.add_to(parser)
    parser.add_argument(
        "--calibration",
        type=cli.dataset,
        metavar="folder:PATH",
        help="own pictures to set ranges by, instead of the training split",
    )
    parser.add_argument(
        "--calibration-images", type=cli.positive_int, metavar="N", help="how many (default: 500 digits, 100 pictures)"
    )
    cli.add_common_arguments(parser, seed_of="the calibration images, and of random weights")
    stages.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="also report where int8 loses accuracy, layer by layer")
    gate.add_limit_arguments(parser)
    return parser


def request_of(args):
    """The ``ExportRequest`` of a command line of ``parser``.

    Raises:
        InputError: arguments that do not go together, or something that is not there.
    """
    request = arguments.with_saved_model(arguments.request_of(args, args.network))
    stages.check(request)
    if request.debug and "int8" not in request.modes:
        raise InputError("--debug reports on int8; add --mode int8.")
    return request


def export(request):
    """Convert, verify, and write every mode; the exit code."""
    from keras_classics.runtime import start_tensorflow

    folder = files.output_folder(request.out)
    start_tensorflow()
    from export.convert import checks
    from export.gate import metrics
    from export.gate.summary import comparison, show
    from export.inputs import data, source

    trained = source.load(request)
    name = source.file_name(trained, request) + stages.suffix(request.fine_tuning)
    modes = _ALL_OF_ALEXNET if request.modes == MODES and trained.network == "alexnet" else request.modes
    targets = {mode: folder / f"{name}_{mode}{TFLITE_SUFFIX}" for mode in modes}
    files.check_targets(*targets.values(), *(target.with_suffix(".json") for target in targets.values()))
    locks.claim(folder, *(target.name for target in targets.values()))
    print(f"Model: {trained.origin}\nData: {trained.dataset}", flush=True)
    checks.check_layers(trained.model)
    images, calibrated_with = data.calibration(trained, request)
    reference = metrics.keras_reference(trained.model, trained.preprocessing, trained.dataset.test.images)
    checks.check_answers(trained, reference)
    trained, network, tuning = stages.fine_tuned(trained, request)
    limits = gate.limits_of(request, trained, request.io)
    rows, rejected = {}, False
    for mode, target in targets.items():
        tflite = converted(trained, mode, images, request, network)
        rows[mode] = metrics.measure(tflite, target, trained.dataset.test, reference)
        if len(modes) == 1:
            show(rows[mode])
        calibrated = mode in CALIBRATED and network is None
        record = {**trained.record(), "mode": mode, "calibration": calibrated_with if calibrated else None}
        record |= {"fine_tuning": tuning} if tuning else {}
        rejected |= bool(gate.write_if_accepted(tflite, target, rows[mode], limits, record))
        if request.debug and mode == "int8":
            _debug(trained, images, request, target)
    if len(modes) > 1:
        print(f"\n{comparison(rows)}")
    peak = gate.environment()["peak_memory_bytes"]
    print(f"Most memory used by this process, conversion included: {peak / 1e9:.2f} GB")
    return gate.REJECTED if rejected else 0


def forms_of(request, mode):
    """The ``Forms`` that were requested."""
    from export.convert import quantize

    forms = quantize.best_forms(mode, request.target)
    return forms if request.lrn == "auto" else dataclasses.replace(forms, lrn=request.lrn)


def converted(trained, mode, images, request, network=None):
    """Bytes of the model in ``mode``, or of what quantization-aware training made of it; its descriptions inside."""
    from export.convert import quantize
    from export.litert import metadata, standard_metadata

    if network is not None:
        from export.finetune import tfmot

        tflite = tfmot.convert(network, request.io)
    else:
        tflite = quantize.convert(
            trained.model,
            trained.preprocessing,
            mode,
            images,
            dtype=request.io,
            forms=forms_of(request, mode),
            integer_only=request.target == "int8-only",
        )
    about = metadata.of(trained, mode, request.io)
    return standard_metadata.embed(metadata.embed(tflite, about), about)


def _debug(trained, images, request, target):
    from export.convert import layer_errors

    rows = layer_errors.layer_errors(trained, images, forms_of(request, "int8"))
    print(f"\n{layer_errors.table(rows)}\n", flush=True)
    layer_errors.write(rows, target.with_name(f"{target.stem}_layers.json"))


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(request_of(args)), PROG)


if __name__ == "__main__":
    main()
