"""Windows of JPEG files, decoded alone, against the whole picture decoded, scaled and cut."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_classics.datasets import windows
from tests import needs

CORNERS = ((0, 0), (32, 32), (7, 19))


@pytest.fixture(scope="module", params=["made", pytest.param("real", marks=pytest.mark.needs_data)])
def photographs(request):
    """Smooth coloured noise, and real photographs, as JPEG files with subsampled colours."""
    if request.param == "real":
        return [file.read_bytes() for file in sorted(needs.photographs().glob("*.jpg"))[::50]]
    random, made = np.random.default_rng(0), []
    for size in ((256, 256), (400, 256), (256, 341)):
        small = Image.fromarray(random.integers(0, 256, (40, 40, 3), np.uint8))
        made.append(jpeg(small.resize(size, Image.BICUBIC)))
    return made


def jpeg(picture, **options):
    file = io.BytesIO()
    picture.save(file, "jpeg", **options)
    return file.getvalue()


def resaved(content, factor):
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    return jpeg(picture.resize([round(side * factor) for side in picture.size], Image.LANCZOS), quality=92)


def difference(content, corner):
    """Of a window from the same part of the square, grey levels."""
    whole = windows.square(content, 256)[corner[0] :, corner[1] :][:224, :224]
    window = windows.window(tf.constant(content), 256, tf.constant(corner), 224)
    assert window.shape == (224, 224, 3)
    return np.abs(window.numpy().astype(int) - whole.numpy())


@pytest.mark.parametrize("corner", CORNERS)
def test_window_of_a_picture_of_the_right_size_is_exact(photographs, corner):
    for content in photographs:
        if min(Image.open(io.BytesIO(content)).size) == 256:
            assert difference(content, corner).max() == 0


@pytest.mark.parametrize("factor", [0.6, 1.37])
def test_window_of_a_scaled_picture_differs_by_rounding(photographs, factor):
    for content in photographs[:3]:
        for corner in CORNERS:
            found = difference(resaved(content, factor), corner)
            assert found.max() <= 2  # the square is rounded after each of two directions, by Pillow
            assert found.mean() < 0.3


@pytest.mark.parametrize("factor", [4.1, 9.0])
def test_large_pictures_are_decoded_smaller_and_look_the_same(photographs, factor):
    for content in photographs[:2]:
        assert difference(resaved(content, factor), (7, 19)).mean() < 3


def test_other_formats_and_grey_pictures_have_windows_too(photographs):
    picture = Image.open(io.BytesIO(photographs[0])).convert("RGB")
    png = io.BytesIO()
    picture.save(png, "png")
    assert difference(png.getvalue(), (7, 19)).max() == 0
    assert difference(jpeg(picture.convert("L")), (7, 19)).max() == 0


def test_scaled_square_is_what_resizing_the_middle_gives():
    pixels = np.random.default_rng(0).integers(0, 256, (300, 421, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    expected = np.round(tf.image.resize(pixels[:, 60:360], (256, 256), antialias=True))
    found = windows.square(file.getvalue(), 256).numpy()
    assert np.abs(found - expected).max() <= 2
