"""``python -m benchmarks.device``: exported models in LiteRT beside ONNX Runtime and PyTorch, one image at a time.

Every side starts from an image as a NumPy array and ends with probabilities as one. Ours takes raw ``uint8`` pixels and
normalises them itself; the others are given pixels already normalised.
"""

import pathlib
import tempfile

import numpy as np

from benchmarks import measure

PROG = "python -m benchmarks.device"
NETWORKS = ("lenet5", "alexnet")
_ROUND_SECONDS = 0.4  # of each side in each round
_CALIBRATION = 200  # images
_ALIKE = 1e-3  # largest difference of probabilities between float sides: they compute the same
_SIZE_LIMIT = 0.26  # of an int8 file, in sizes of the float32 file


def parser():
    parser = measure.parser(PROG, "Exported LeNet-5 and AlexNet in LiteRT, against ONNX Runtime and PyTorch.", rounds=7)
    parser.add_argument(
        "--only", choices=NETWORKS, metavar="NETWORK", help=f"{' or '.join(NETWORKS)} (default: both of them)"
    )
    return parser


def litert(model, pixels, threads):
    """``() -> probabilities`` of a ``.tflite`` (bytes) for ``pixels (1, height, width, channels)``, ``uint8``."""
    from export.litert.classifier import Classifier

    classifier = Classifier(model, "the model", threads)
    scale, zero_point = classifier.output["quantization"]

    def call():
        values = classifier.run(pixels)
        return (values.astype(np.float32) - zero_point) * scale if scale else values

    return call


def onnx_runtime(model, images, threads):
    """``() -> probabilities`` of an ONNX model (bytes or path) for ``images``, ``float32``, channels first."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name, outputs = session.get_inputs()[0].name, [session.get_outputs()[0].name]
    return lambda: session.run(outputs, {name: images})[0]


def torch_traced(network, images):
    """``() -> probabilities`` of a PyTorch network, traced and frozen, on one thread."""
    import torch

    torch.set_num_threads(1)
    example = torch.from_numpy(images)
    with torch.inference_mode():
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network.eval(), example)))

    def call():
        with torch.inference_mode():
            return torch.softmax(traced(example), dim=1).numpy()

    return call


def timed(call):
    """A side for ``measure``: microseconds a ``call()`` takes, over ``_ROUND_SECONDS``, after some to warm up."""
    from export.gate.metrics import seconds_a_call

    return lambda: 1e6 * seconds_a_call(call, 1, _ROUND_SECONDS)[0]


def check_alike(sides):
    """Refuse to compare sides whose probabilities differ.

    Raises:
        RuntimeError: they do.
    """
    (first, ours), *others = ((name, call()) for name, call in sides.items())
    for name, theirs in others:
        difference = float(np.abs(ours - theirs).max())
        if difference > _ALIKE:
            raise RuntimeError(f"{first} and {name} differ by {difference:.3g}; they do not compute the same.")


def lenet5_rows(rounds, peers):
    """LeNet-5 with the package's weights, calibrated with the embedded digits; one thread."""
    from export.convert import quantize
    from keras_classics import LeNet5, datasets, lenet

    digits = datasets.load("embedded").padded(lenet.IMAGE_SIZE)
    calibration, _ = datasets.stratified(digits.train, _CALIBRATION, 0)
    model, pixels = LeNet5(weights="mnist"), digits.test.images[:1]
    floats = _channels_first(lenet.PREPROCESSING, pixels)
    files = {
        mode: quantize.convert(model, lenet.PREPROCESSING, mode, calibration.images) for mode in ("float32", "int8")
    }
    exact = {"LiteRT": litert(files["float32"], pixels, 1)}
    small = {"LiteRT": litert(files["int8"], pixels, 1)}
    if "onnxruntime" in peers:
        from benchmarks import peers_onnx

        onnx_model = peers_onnx.lenet5(model)
        exact["ONNX Runtime"] = onnx_runtime(onnx_model, floats, 1)
        normalised = _channels_first(lenet.PREPROCESSING, calibration.images)
        for form, int8 in peers_onnx.quantized(onnx_model, normalised).items():
            small[f"ONNX Runtime, {form}"] = onnx_runtime(int8, floats, 1)
    if "torch" in peers:
        exact["PyTorch, traced"] = torch_traced(_torch_lenet5(model), floats)
    check_alike(exact)
    own = {"float32": exact, "int8": small}
    sides = {(mode, name): timed(call) for mode, calls in own.items() for name, call in calls.items()}
    found = measure.alternate(sides, rounds)
    return list(_lenet5_table(found))


def _lenet5_table(found):
    ours = {mode: found[mode, "LiteRT"] for mode in ("float32", "int8")}

    def row(title, mode, peer):
        others = {name: values for (of, name), values in found.items() if of == mode and name.startswith(peer)}
        return measure.row_of(title, {"LiteRT": ours[mode], **others}, unit="µs")

    yield row("LeNet-5 float32, one image, 1 thread", "float32", "ONNX Runtime")
    if ("float32", "PyTorch, traced") in found:
        yield row("LeNet-5 float32, one image, 1 thread, PyTorch", "float32", "PyTorch")
    yield row("LeNet-5 int8, one image, 1 thread", "int8", "ONNX Runtime")
    both = {"int8": ours["int8"], "our float32": ours["float32"]}
    yield measure.row_of("LeNet-5 int8 beside float32, 1 thread", both, unit="µs")


def alexnet_rows(rounds, peers):
    """AlexNet in Caffe's variant, which ONNX Runtime's operator for normalization computes; two threads."""
    from export.convert import quantize
    from keras_classics import AlexNet, alexnet

    preprocessing = alexnet.VARIANTS["caffe"].preprocessing
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "alexnet.onnx"
        weights = None
        if "onnxruntime" in peers:
            from benchmarks import peers_onnx

            peers_onnx.save_alexnet(path)
            weights = path
        model = AlexNet(variant="caffe", weights=weights)
        # Time does not depend on what the pictures show, nor on what the weights have learned.
        pictures = random.integers(0, 256, (8, *model.input_shape[1:]), dtype=np.uint8)
        files = {mode: quantize.convert(model, preprocessing, mode, pictures) for mode in ("float32", "int8")}
        pixels = pictures[:1]
        calls = {"LiteRT": litert(files["float32"], pixels, 2)}
        if weights:
            calls["ONNX Runtime"] = onnx_runtime(str(path), _channels_first(preprocessing, pixels), 2)
        check_alike(calls)
        calls["LiteRT int8"] = litert(files["int8"], pixels, 2)
        found = measure.alternate({name: timed(call) for name, call in calls.items()}, rounds)
    found = {name: [value / 1e3 for value in values] for name, values in found.items()}
    small, ours = found.pop("LiteRT int8"), found["LiteRT"]
    note = "ONNX Runtime with its own LRN operator" if weights else ""
    yield measure.row_of("AlexNet float32, one image, 2 threads", found, unit="ms", note=note)
    both = {"int8": small, "our float32": ours}
    yield measure.row_of("AlexNet int8 beside float32, 2 threads", both, unit="ms")
    size = len(files["int8"]) / len(files["float32"])
    sizes = " and ".join(f"{len(file) / 1e6:.1f} MB" for file in (files["int8"], files["float32"]))
    yield measure.within("AlexNet file size, int8 / float32", size, _SIZE_LIMIT, unit="of it", note=sizes)


def _channels_first(preprocessing, pixels):
    return np.ascontiguousarray(preprocessing(pixels, "channels_last").transpose(0, 3, 1, 2))


def _torch_lenet5(model):
    """PyTorch's LeNet-5 with the weights of ``model``."""
    import torch

    from benchmarks.peers import lenet5_weights, torch_lenet5

    network = torch_lenet5()
    with torch.no_grad():
        for theirs, ours in zip(network.parameters(), lenet5_weights(model), strict=True):
            theirs.copy_(torch.from_numpy(ours.copy()))
    return network


def rows(args):
    libraries = measure.start("onnxruntime", "torch", "onnx")
    if not {"torch", "onnx"} <= set(libraries):  # with which ONNX Runtime's models are written
        libraries = [name for name in libraries if name != "onnxruntime"]
    found = []
    if args.only in (None, "lenet5"):
        found += lenet5_rows(args.rounds, libraries)
    if args.only in (None, "alexnet"):
        found += alexnet_rows(args.rounds, libraries)
    return found


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
