"""Training, evaluation, calibration, verification and prediction see the same picture, however it is stored."""

import io
import json
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export.convert import quantize
from export.inputs import data
from export.litert import metadata
from export.litert.classifier import Classifier
from keras_classics.datasets import Split, decoding, memory_cache, pipeline, tfrecord, windows
from keras_classics.datasets.unreadable import Unreadable

SIZE, CROP = 20, 16
PLAIN = ("plain.jpg", "grey.jpeg", "progressive.JPG", "upright.jpg", "metadata.jfif", "many.jpg")


def scene():
    """A smooth picture that is neither square nor symmetric."""
    rows, columns = np.mgrid[:36, :48]
    return Image.fromarray(np.stack([rows * 6, columns * 5, 250 - rows * 4], axis=-1).astype(np.uint8))


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One picture in every way that people store them."""
    root, picture = tmp_path_factory.mktemp("stored"), scene()
    grey, half = picture.convert("L"), Image.new("L", picture.size, 255)
    half.paste(0, (0, 0, 20, 36))
    wide = Image.fromarray(np.asarray(grey).astype(np.uint16) * 200)
    transparent = picture.copy()
    transparent.putalpha(half)
    frames = [picture.transpose(Image.Transpose.ROTATE_180)]
    picture.save(root / "plain.jpg", quality=90)
    grey.save(root / "grey.jpeg")
    picture.save(root / "progressive.JPG", "jpeg", progressive=True, subsampling=0)
    picture.save(root / "upright.jpg", exif=exif(1))
    picture.save(root / "metadata.jfif", "jpeg", comment=b"Exif\0\0", dpi=(300, 300))
    picture.save(root / "many.jpg", "mpo", save_all=True, append_images=frames)
    picture.save(root / "turned.jpg", exif=exif(6))
    picture.save(root / "mirrored.JPEG", "jpeg", exif=exif(2))
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><tiff:Orientation>3</tiff:Orientation></x:xmpmeta>'
    picture.save(root / "turned by xmp.jpg", xmp=xmp)
    picture.convert("CMYK").save(root / "inks.jpg")
    (root / "more.jpg").write_bytes((root / "plain.jpg").read_bytes() + b"\0" * 9)
    picture.save(root / "turned.png", exif=exif(8))
    transparent.save(root / "alpha.png")
    grey.convert("LA").save(root / "grey alpha.PNG")
    Image.merge("LA", [grey, half]).save(root / "half.png")
    wide.save(root / "wide.png")
    wide.save(root / "wide.tiff")
    picture.quantize(8).save(root / "palette.bmp")
    picture.quantize(16).save(root / "palette.png", transparency=3)
    grey.point(lambda value: 255 * (value > 120), "1").save(root / "bits.tif")
    picture.convert("CMYK").save(root / "inks.tif", compression="tiff_lzw")
    picture.save(root / "A.WebP", "webp", lossless=True)
    frames[0].save(root / "moving.webp", save_all=True, append_images=[picture], lossless=True)
    picture.quantize(64).save(root / "moving.gif", save_all=True, append_images=[frames[0].quantize(64)])
    picture.save(root / "a png.jpeg", "png")
    return root


@pytest.fixture(scope="module")
def split(folder):
    paths = sorted(str(path) for path in folder.iterdir())
    return Split(np.array(paths), np.arange(len(paths)))


@pytest.fixture(scope="module")
def predicted_from(split):
    """The pictures as ``export.predict`` reads them."""
    return np.stack([decoding.square(path, SIZE) for path in split.images])


def batches(split, **options):
    evaluated = pipeline.evaluation_batches(split, batch=7, prepare=lambda images: images, size=SIZE, **options)
    return np.concatenate([images for images, _ in evaluated.as_numpy_iterator()])


def test_evaluation_memory_and_export_see_what_prediction_sees(split, predicted_from):
    held, how, _ = memory_cache.hold(split, SIZE, 10**9, Unreadable())
    assert "decoded" in how
    encoded, how, _ = memory_cache.hold(split, SIZE, len(split) * SIZE * SIZE * 3 - 1, Unreadable())
    seen = {
        "evaluation": batches(split),
        "evaluation that bears bad pictures": batches(split, unreadable=Unreadable(3)),
        "memory": held.images,
        "encoded in memory": batches(encoded),
        "verification": data.in_memory(split, (SIZE, SIZE, 3)).images,
        "report": pipeline.load_pictures(split, SIZE),
    }
    for what, images in seen.items():
        np.testing.assert_array_equal(images, predicted_from, err_msg=what)


def test_calibration_sees_what_prediction_sees(folder, split, predicted_from):
    source = types.SimpleNamespace(network="alexnet", image_shape=(SIZE, SIZE, 3))
    request = types.SimpleNamespace(calibration_images=None, seed=0, calibration=folder)
    images, _ = data.calibration(source, request)
    assert {image.tobytes() for image in images} == {image.tobytes() for image in predicted_from}


def test_windows_to_train_on_are_of_the_same_picture(split, predicted_from):
    """To 2 grey levels of rounding where TensorFlow decodes plain JPEG files, exactly elsewhere."""
    corner = np.array([1, 3])
    for path, expected in zip(split.images, predicted_from, strict=True):
        name = path.rsplit("/", 1)[1]
        content = tf.io.read_file(path)
        assert bool(windows.is_plain_jpeg(content)) == (name in PLAIN), name
        found = windows.window(content, SIZE, tf.constant(corner), CROP).numpy().astype(int)
        difference = np.abs(found - expected[1 : 1 + CROP, 3 : 3 + CROP])
        assert difference.max() <= (2 if name in PLAIN else 0), name


def test_records_of_tfds_are_read_alike(split, predicted_from, tmp_path):
    """ImageNet has a CMYK JPEG and a PNG that is called .JPEG."""
    with tf.io.TFRecordWriter(str(tmp_path / "shard")) as writer:
        for path, label in zip(split.images, split.labels, strict=True):
            image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[open(path, "rb").read()]))  # noqa: PTH123, SIM115
            label = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
            example = tf.train.Example(features=tf.train.Features(feature={"image": image, "label": label}))
            writer.write(example.SerializeToString())
    records = tfrecord.split([tmp_path / "shard"], "records")
    np.testing.assert_array_equal(batches(records), predicted_from)
    np.testing.assert_array_equal(pipeline.load_pictures(records, SIZE), predicted_from)
    assert not len(pipeline.unreadable_rows(records))


def test_predictions_of_files_are_those_of_the_evaluated_pictures(folder, split, called, tmp_path):
    """A network that weighs colours and places, given the pictures by path and as evaluation reads them."""
    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3), batch_size=1)
    scaled = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    network = keras.Model(image, keras.layers.Dense(4, "softmax")(scaled))
    tflite = quantize.run(tf.lite.TFLiteConverter.from_keras_model(network).convert)
    said = {"network": "places", "mode": "float32", "labels": list("abcd")}
    path = tmp_path / "places.tflite"
    path.write_bytes(metadata.embed(tflite, said))
    done = called("export.predict", path, *split.images, "--json")
    assert done.returncode == 0, done.stderr
    classifier = Classifier(path.read_bytes(), str(path))
    expected = classifier.probabilities(batches(split)).max(axis=1)
    found = [row["probability"] for row in json.loads(done.stdout)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_refused_is_refused_everywhere(folder, tmp_path):
    def stored(form):
        file = io.BytesIO()
        scene().save(file, form)
        return file.getvalue()

    refused = {"eps": stored("eps"), "text": b"no picture", "empty": b"", "cut": stored("jpeg")[:-40]}
    refused |= {"cut too": stored("png")[:-40]}
    for name, content in refused.items():
        (tmp_path / f"{name}.jpg").write_bytes(content)
    bad = sorted(str(path) for path in tmp_path.iterdir())
    split = Split(np.array([*bad, str(folder / "plain.jpg")]), np.arange(6))
    np.testing.assert_array_equal(pipeline.unreadable_rows(split), np.arange(5))
    for crop in (None, CROP):
        unreadable = Unreadable(5)
        trained = pipeline.training_batches(
            split,
            batch=6,
            replicas=1,
            seed=0,
            first_step=0,
            prepare=lambda images, _: images,
            draws=2,
            size=SIZE,
            crop=crop,
            unreadable=unreadable,
        )
        assert next(iter(trained))[1].numpy().tolist() == [5] * 6
        assert sorted(unreadable.names) == bad
    assert data.in_memory(split, (SIZE, SIZE, 3)).labels.tolist() == [5]
