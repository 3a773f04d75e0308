"""``python -m export.tflite``: turn a trained network into verified TFLite models for devices."""

import argparse

from export import arguments, gate
from export.arguments import CALIBRATED, MODES
from export.finetune import stages
from export.inputs import networks
from keras_classics import cli, files, locks

PROG = "python -m export.tflite"
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
        epilog="Exit codes: 0 all written and verified; 1 a model was rejected and not written; 2 something given "
        "cannot be used.",
    )
    parser.add_argument(
        "network",
        type=cli.path,
        metavar="MODEL",
        help=f"{', '.join(networks.NETWORKS)}, or the path of a .keras file of one of them",
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
        choices=("uint8", "int8", "float32"),
        metavar="TYPE",
        help="of the input: uint8 pixels 0-255, int8 pixels less 128, float32 pixels 0-255 (default: %(default)s)",
    )
    parser.add_argument(
        "--lrn",
        default="auto",
        choices=("auto", "native", "banded"),
        metavar="FORM",
        help="AlexNet's normalization: TensorFlow's operator, or a banded 1x1 convolution (default: auto, native in "
        "int8 and banded in float)",
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


def export(args):
    """Convert, verify, and write every mode; the exit code."""
    from keras_classics.errors import InputError
    from keras_classics.runtime import start_tensorflow

    path = arguments.check(args, args.network)
    stages.check(args)
    if args.calibration and not args.calibration.startswith("folder:"):
        raise InputError(f"--calibration is {args.calibration!r}; expected folder:PATH.")
    if args.debug and "int8" not in args.mode:
        raise InputError("--debug tells of int8; ask for --mode int8 too.")
    folder = files.output_folder(args.out)
    start_tensorflow()
    from export.gate import metrics
    from export.gate.summary import comparison, show
    from export.inputs import data, source

    trained = source.load(args, args.network)
    name = source.file_name(trained, path) + stages.suffix(args)
    modes = _ALL_OF_ALEXNET if args.mode == MODES and trained.network == "alexnet" else args.mode
    targets = {mode: folder / f"{name}_{mode}.tflite" for mode in modes}
    files.check_targets(*targets.values(), *(target.with_suffix(".json") for target in targets.values()))
    locks.claim(folder, *(target.name for target in targets.values()))
    print(f"Model: {trained.origin}\nData: {trained.dataset}", flush=True)
    images, calibrated_with = data.calibration(trained, args.calibration_images, args.seed, args.calibration)
    reference = metrics.keras_reference(trained.model, trained.preprocessing, trained.dataset.test.images)
    source.check_outputs(trained, reference)
    trained, network, tuning = stages.fine_tuned(trained, args)
    limits = gate.limits_of(args, trained, args.io)
    rows, rejected = {}, False
    for mode, target in targets.items():
        tflite = converted(trained, mode, images, args, network)
        rows[mode] = metrics.measure(tflite, target, trained.dataset.test, reference)
        if len(modes) == 1:
            show(rows[mode])
        calibrated = mode in CALIBRATED and network is None
        record = {**trained.record(), "mode": mode, "calibration": calibrated_with if calibrated else None}
        record |= {"fine_tuning": tuning} if tuning else {}
        rejected |= bool(gate.admit(tflite, target, rows[mode], limits, record))
        if args.debug and mode == "int8":
            _debug(trained, images, args, target)
    if len(modes) > 1:
        print(f"\n{comparison(rows)}")
    peak = gate.environment()["peak_memory_bytes"]
    print(f"Most memory used by this process, conversion included: {peak / 1e9:.2f} GB")
    return gate.REJECTED if rejected else 0


def forms_of(args, mode):
    """The ``Forms`` that the command line asks for."""
    import dataclasses

    from export.convert import quantize

    forms = quantize.best_forms(mode, args.target)
    return forms if args.lrn == "auto" else dataclasses.replace(forms, lrn=args.lrn)


def converted(trained, mode, images, args, network=None):
    """Bytes of the model in ``mode``, or of what quantization-aware training made of it; its descriptions inside."""
    from export.convert import quantize
    from export.litert import metadata, standard_metadata

    if network is not None:
        from export.finetune import tfmot

        tflite = tfmot.convert(network, args.io)
    else:
        tflite = quantize.convert(
            trained.model,
            trained.preprocessing,
            mode,
            images,
            dtype=args.io,
            forms=forms_of(args, mode),
            integer_only=args.target == "int8-only",
        )
    about = metadata.of(trained, mode, args.io)
    return standard_metadata.embed(metadata.embed(tflite, about), about)


def _debug(trained, images, args, target):
    from export.convert import layer_errors

    rows = layer_errors.layer_errors(trained, images, forms_of(args, "int8"))
    print(f"\n{layer_errors.table(rows)}\n", flush=True)
    layer_errors.write(rows, target.with_name(f"{target.stem}_layers.json"))


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(args), PROG)


if __name__ == "__main__":
    main()
