"""TensorFlow's own metadata of a .tflite, read back by others than those who wrote it; and names of tensors."""

import json
import pathlib
import subprocess
import zipfile

import numpy as np
import pytest

from export.convert import quantize
from export.litert import flatbuffer, metadata, standard_metadata
from export.litert.classifier import Classifier
from keras_classics import LeNet5, lenet
from keras_classics.recognition import description

SCHEMA = pathlib.Path(__file__).with_name("metadata_schema.fbs")


def test_the_command_puts_both_descriptions_into_the_file(int8_file):
    model = int8_file.read_bytes()
    fields, labels = standard_metadata.read(model)
    about = metadata.read(model, int8_file)
    assert labels == about["labels"] == list("0123456789")
    (graph,) = fields["subgraph_metadata"]
    (image,), (output,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
    assert image["content"] == {"content_properties_type": 2, "content_properties": {"color_space": 2}}
    assert image["process_units"] == [{"options_type": 1, "options": {"mean": [0.0], "std": [1.0]}}]
    assert image["stats"] == {"max": [255.0], "min": [0.0]}
    assert output["associated_files"][0]["name"] == "labels.txt"
    assert fields["name"] == about["network"]


@pytest.mark.needs_tools("flatc")
def test_flatc_reads_it_by_mediapipe_s_schema(int8_file, tmp_path):
    (tmp_path / "metadata.bin").write_bytes(description.entry(int8_file.read_bytes(), "TFLITE_METADATA"))
    command = [
        "flatc",
        "--json",
        "--strict-json",
        "--raw-binary",
        "-o",
        tmp_path,
        SCHEMA,
        "--",
        tmp_path / "metadata.bin",
    ]
    subprocess.run(command, check=True)
    found = json.loads((tmp_path / "metadata.json").read_text())
    (graph,) = found["subgraph_metadata"]
    (image,), (output,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
    assert image["content"]["content_properties_type"] == "ImageProperties"
    assert image["content"]["content_properties"]["color_space"] == "GRAYSCALE"
    assert image["process_units"][0]["options_type"] == "NormalizationOptions"
    assert image["process_units"][0]["options"] == {"mean": [0.0], "std": [1.0]}
    assert output["content"]["content_properties_type"] == "FeatureProperties"
    assert output["associated_files"] == [
        {"name": "labels.txt", "description": "labels, one a line", "type": "TENSOR_AXIS_LABELS"}
    ]
    assert found["min_parser_version"] == "1.0.0"


def test_the_labels_are_a_file_packed_behind_the_model(int8_file):
    with zipfile.ZipFile(int8_file) as packed:
        assert packed.namelist() == ["labels.txt"]
        assert packed.read("labels.txt") == b"".join(b"%d\n" % digit for digit in range(10))


@pytest.fixture(scope="module")
def colours():
    """A small model of colour pictures with three classes, and what it says of itself."""
    import keras
    import tensorflow as tf

    pixels = keras.Input((8, 8, 3), batch_size=1)
    outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(pixels))
    about = {"network": "small", "mode": "float32", "labels": ["é", "b", "c"], "input": "pixels", "output": "labels"}
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(pixels, outputs))
    return quantize.run(converter.convert), about


def test_a_model_of_colours_says_rgb_and_labels_may_have_any_letters(colours):
    model = standard_metadata.embed(*colours)
    fields, labels = standard_metadata.read(model)
    image = fields["subgraph_metadata"][0]["input_tensor_metadata"][0]
    assert image["content"]["content_properties"]["color_space"] == 1
    assert image["process_units"][0]["options"] == {"mean": [0.0] * 3, "std": [1.0] * 3}
    assert labels == ["é", "b", "c"]
    assert "RGB" in standard_metadata.summary((fields, labels))


def test_the_model_computes_as_before_and_is_the_same_file_every_time(colours, tmp_path):
    model = standard_metadata.embed(*colours)
    assert model == standard_metadata.embed(*colours)
    picture = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    before, after = (Classifier(each, tmp_path).probabilities(picture) for each in (colours[0], model))
    assert np.array_equal(before, after)


def test_what_cannot_be_read_counts_as_absent(int8_file):
    model = int8_file.read_bytes()
    content = flatbuffer.load(model)
    bare = flatbuffer.dump(content)  # without the packed file
    fields, labels = standard_metadata.read(bare)
    assert fields["name"] == "LeNet-5"
    assert labels is None
    content.metadata = []
    assert standard_metadata.read(flatbuffer.dump(content)) is None
    for entry in flatbuffer.load(model).metadata:
        if entry.name == b"TFLITE_METADATA":
            content = flatbuffer.load(model)
            content.buffers[entry.buffer].data = b"\x10\0\0\0M001" + b"\xff" * 40
            assert standard_metadata.read(flatbuffer.dump(content)) is None
    assert standard_metadata.summary(None) == "no TFLITE_METADATA"


def test_verify_shows_both(called, int8_file):
    options = ["--dataset", "embedded", "--test-images", 50, "--model", int8_file.with_name("lenet5.keras")]
    done = called("export.verify", int8_file, *options)
    assert "Description: LeNet-5; int8; uint8, 1 × 32 × 32 × 1" in done.stdout, done.stdout + done.stderr
    assert "Standard metadata: LeNet-5; input image, grey; normalized by mean [0.0], std [1.0]" in done.stdout
    assert "10 labels in labels.txt" in done.stdout
    said = json.loads(called("export.verify", int8_file, "--json", *options).stdout)
    assert said["description"]["labels"] == said["standard_metadata"]["labels"]
    assert said["standard_metadata"]["fields"]["author"] == "keras-classics"


def _names(model):
    return [tensor.name.decode() for tensor in flatbuffer.load(model).subgraphs[0].tensors]


def test_tensors_are_named_by_layer_and_part(int8_file):
    names = set(_names(int8_file.read_bytes()))
    layers = ("C1", "C3", "C5", "F6", "output")
    assert names >= {
        "pixels",
        "probabilities",
        *layers,
        *(f"{layer}/{part}" for layer in layers for part in ("weights", "bias")),
    }


@pytest.mark.parametrize("mode", ["float32", "float16", "dynamic"])
def test_no_two_tensors_have_one_name(mode, int8_file):
    for variant in ("modern", "1998"):
        names = _names(quantize.convert(LeNet5(weights="mnist", variant=variant), lenet.PREPROCESSING, mode))
        assert len(set(names)) == len(names)
        assert names[0] == "pixels"
        assert not [name for name in names if ";" in name or "StatefulPartitioned" in name or "functional" in name]


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("functional_1/C1_1/BiasAdd;functional_1/C1_1/convolution", "C1"),
        ("model/lenet5/quant_F6/MatMul;model/lenet5/quant_F6/BiasAdd", "F6"),
        ("model/lenet5/quant_C5_inputs/Reshape", "C5_inputs"),
        ("StatefulPartitionedCall:0", None),
        ("serving_default_pixels:0", None),
        ("", None),
    ],
)
def test_a_layer_is_found_in_the_converter_s_names(name, layer):
    assert flatbuffer.layer_of(name) == layer
