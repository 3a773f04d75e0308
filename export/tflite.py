"""``python -m export.tflite``: turn a trained network into a verified TFLite model for a device."""

import collections
import json
import pathlib

from keras_classics import cli

PROG = "python -m export.tflite"
REJECTED = 1  # exit code when the model lost too much accuracy
_CALIBRATION_IMAGES = 500
_MODES = ("float32", "float16", "dynamic", "int8")


def parser():
    parser = cli.Parser(
        prog=PROG,
        description="Turn a trained network into a TFLite model of raw pixels, and verify it on the test images.",
        epilog="Exit codes: 0 written and verified; 1 rejected, nothing written; 2 something given cannot be used.",
    )
    parser.add_argument("network", choices=["lenet5"], metavar="NETWORK", help="which network: lenet5")
    parser.add_argument("--model", metavar="PATH", help="the trained model (default: saved_models/NETWORK.keras)")
    parser.add_argument(
        "--mode",
        default="int8",
        choices=_MODES,
        metavar="MODE",
        help=f"one of {', '.join(_MODES)} (default: %(default)s)",
    )
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help="mnist, embedded or auto, to calibrate and verify with (default: what the model was trained on)",
    )
    cli.add_common_arguments(parser, seed_of="the calibration images")
    parser.add_argument(
        "--max-drop",
        type=cli.non_negative_float,
        default=0.5,
        metavar="POINTS",
        help="accuracy that may be lost, in percentage points (default: %(default)s)",
    )
    return parser


def export(args):
    """Convert, verify, and write; the exit code."""
    from export import source
    from keras_classics import datasets
    from keras_classics.runtime import start_tensorflow

    if args.dataset:
        datasets.check_name(args.dataset, datasets.DIGITS)
    path = pathlib.Path(args.model or f"saved_models/{args.network}.keras")
    source.check_model_file(path)
    folder = cli.output_folder(args.out)
    target = folder / f"{args.network}_{args.mode}.tflite"
    cli.check_targets(target, target.with_suffix(".json"))
    start_tensorflow()
    from export import description, quantize, verify
    from keras_classics import lenet

    trained = source.load(path, lenet, args.dataset, args.data_dir)
    data = trained.dataset
    print(f"Model: {path}\nData: {data}", flush=True)
    probabilities = verify.keras_probabilities(trained.model, lenet.PREPROCESSING, data.test.images)
    source.check_outputs(probabilities, path)
    calibration, _ = datasets.stratified(data.train, min(_CALIBRATION_IMAGES, len(data.train)), args.seed)
    tflite = description.embed(
        quantize.convert(trained.model, lenet.PREPROCESSING, args.mode, calibration.images),
        {
            "network": "LeNet-5",
            "mode": args.mode,
            "labels": list(lenet.LABELS),
            "input": "uint8 pixels, 1 × 32 × 32 × 1, raw: 0 background to 255 stroke, a 28 × 28 digit in the middle",
            "output": "probability of each label, in the order of labels",
        },
    )
    report = verify.compare(tflite, target, probabilities, data.test)
    _show(report)
    if report["drop"] > args.max_drop:
        print(
            f"Rejected: {report['drop']:.2f} points of accuracy lost, more than --max-drop {args.max_drop:g}; "
            f"{target} was not written."
        )
        return REJECTED
    record = {"network": args.network, "mode": args.mode, "model": str(path), **report, "held_out": trained.held_out}
    record["calibration"] = (
        {"images": len(calibration), "split": "train", "seed": args.seed} if args.mode == "int8" else None
    )
    record["dataset"] = data.describe()
    with cli.whole_file(target) as model_file, cli.whole_file(target.with_suffix(".json")) as report_file:
        model_file.write_bytes(tflite)
        report_file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Wrote {target} and {target.with_suffix('.json').name}")
    return 0


def _show(report):
    counts = collections.Counter(report["operators"])
    print(f"Size: {report['size_bytes']:,} bytes")
    print(
        f"Accuracy on {report['test_images']:,} test images: Keras {report['keras_accuracy']:.2%}, "
        f"TFLite {report['tflite_accuracy']:.2%} ({0 - report['drop']:+.2f} points)"
    )
    print(
        f"Agreement: {report['agreement']:.2%} of images get the same label; probabilities differ by "
        f"{report['largest_probability_difference']:.3f} at most"
    )
    for name in ("input", "output"):
        tensor = report[name]
        quantization = f", scale {tensor['scale']:g}, zero point {tensor['zero_point']}" if tensor["scale"] else ""
        print(f"{name.capitalize()}: {tensor['dtype']} {' × '.join(map(str, tensor['shape']))}{quantization}")
    print("Operators: " + ", ".join(f"{count} {name}" for name, count in counts.items()), flush=True)


def main(argv=None):
    args = parser().parse_args(argv)
    cli.run(lambda: export(args), PROG)


if __name__ == "__main__":
    main()
