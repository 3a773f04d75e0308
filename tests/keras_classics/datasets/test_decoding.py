"""The one picture decoder: every way a picture is stored gives the same pixels; what is no picture is refused."""

import gc
import io
import os
import pathlib
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_classics.datasets import decoding
from keras_classics.errors import InputError

SCENE = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)  # neither square nor symmetric
STROKE = np.zeros((28, 28), np.uint8)  # how opaque a drawn stroke is
STROKE[4:24, 12:15] = 255
STROKE[4:24, 15] = 90  # its soft edge


def stored(picture, form, **options):
    """The bytes of a picture file."""
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def smooth():
    """A picture that JPEG keeps to a few grey levels."""
    rows, columns = np.mgrid[:48, :64]
    return np.stack([rows * 5, columns * 4, 255 - rows * 3], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("form", ["BMP", "GIF", "PNG", "TIFF", "WEBP"])
def test_lossless_formats_give_the_pixels_that_were_stored(form):
    picture = Image.fromarray(SCENE)
    if form == "GIF":
        picture = picture.quantize(256)
    content = stored(picture, form, **({"lossless": True} if form == "WEBP" else {}))
    pixels = decoding.decode(content)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    np.testing.assert_array_equal(pixels, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("suffix", decoding.SUFFIXES)
def test_every_suffix_is_read_in_upper_case_too(suffix, tmp_path):
    path = tmp_path / f"A{suffix.upper()}"
    form = Image.registered_extensions()[suffix]
    path.write_bytes(stored(Image.fromarray(smooth()), form))
    error = np.abs(decoding.decode(path).astype(int) - smooth()).mean()
    assert error < (20 if form == "GIF" else 4)  # GIF has 256 colours


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_orientation_is_applied(form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = Image.fromarray(SCENE)
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    turned = upright if orientation == 1 else upright.transpose(decoding._UPRIGHT[undo])
    content = stored(turned, form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    np.testing.assert_array_equal(decoding.decode(content), SCENE)
    assert decoding.size_of(content) == SCENE.shape[:2]


def test_a_damaged_exif_is_no_obstacle():
    content = stored(Image.fromarray(SCENE), "PNG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    np.testing.assert_array_equal(decoding.decode(content), SCENE)


@pytest.mark.parametrize("top", [65535, 30000])
def test_grey_of_16_bits_keeps_its_range(top):
    values = np.linspace(0, top, 600).astype(np.uint16).reshape(20, 30)
    expected = np.rint(values / 257)
    big_endian = Image.frombytes("I;16B", (30, 20), values.astype(">u2").tobytes())
    for content in (
        stored(Image.fromarray(values), "PNG"),
        stored(Image.fromarray(values), "TIFF"),
        stored(big_endian, "TIFF"),
        stored(Image.fromarray(values.astype(np.int32)), "TIFF"),
        stored(Image.fromarray(values.astype(np.float32)), "TIFF"),
    ):
        np.testing.assert_array_equal(decoding.decode(content), np.repeat(expected[..., None], 3, axis=2))


def test_8_bits_in_a_wider_picture_stay_as_they_are():
    for values in (SCENE[..., 0].astype(np.uint16), SCENE[..., 0].astype(np.int32), SCENE[..., 0].astype(np.float32)):
        np.testing.assert_array_equal(decoding.decode(stored(Image.fromarray(values), "TIFF"))[..., 1], SCENE[..., 0])


def test_floats_up_to_1_are_fractions_of_white():
    values = np.array([[0, 0.5, 1]], np.float32)
    assert decoding.decode(stored(Image.fromarray(values), "TIFF"))[0, :, 0].tolist() == [0, 128, 255]


def test_one_bit_and_palette():
    bits = Image.fromarray(STROKE > 128)
    np.testing.assert_array_equal(decoding.decode(stored(bits, "PNG"))[..., 0], np.where(STROKE > 128, 255, 0))
    palette = Image.fromarray(SCENE).quantize(8)
    np.testing.assert_array_equal(decoding.decode(stored(palette, "PNG")), np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("ink, ground", [(0, 255), (60, 255), (255, 0), (200, 0)])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_strokes_on_transparency_lie_on_the_ground_that_shows_them(mode, ink, ground):
    grey = Image.new("L", (28, 28), ink)
    if mode == "P":  # one transparent entry of the palette
        picture = Image.fromarray((STROKE > 128).astype(np.uint8), "L").convert("P")
        picture.putpalette([0, 0, 0, ink, ink, ink])
        content = stored(picture, "PNG", transparency=0)
    else:
        picture = grey.convert({"PA": "P"}.get(mode, mode))
        picture.putalpha(Image.fromarray(STROKE))
        assert picture.mode == mode
        content = stored(picture, "TIFF" if mode == "PA" else "PNG")
    pixels = decoding.decode(content)[..., 0]
    assert pixels[10, 13] == ink
    assert pixels[0, 0] == ground


def test_a_stroke_whose_colour_fades_with_its_alpha_is_light():
    """As drawing programmes store white on black when they make black transparent."""
    stroke = Image.fromarray(STROKE)
    pixels = decoding.decode(stored(Image.merge("LA", [stroke, stroke]), "PNG"))[..., 0]
    assert (pixels[10, 13], pixels[0, 0]) == (255, 0)


@pytest.mark.parametrize("paper, ink", [(240, 10), (10, 240)])
def test_a_card_with_round_corners_goes_on_in_its_own_colour(paper, ink):
    card, alpha = np.full((28, 28), paper, np.uint8), np.full((28, 28), 255, np.uint8)
    card[4:24, 12:16] = ink
    alpha[:3, :3] = 0
    pixels = decoding.decode(stored(Image.merge("LA", [Image.fromarray(card), Image.fromarray(alpha)]), "PNG"))
    assert pixels[0, 0, 0] == (255 if paper > 128 else 0)


def test_alpha_that_hides_nothing_or_all():
    opaque = Image.fromarray(SCENE).convert("RGBA")
    np.testing.assert_array_equal(decoding.decode(stored(opaque, "PNG")), SCENE)
    opaque.putalpha(0)
    assert (decoding.decode(stored(opaque, "PNG")) == 255).all()


def test_cmyk_as_tiff_and_as_adobe_writes_jpeg():
    picture = Image.fromarray(smooth()).convert("CMYK")
    np.testing.assert_array_equal(decoding.decode(stored(picture, "TIFF")), np.asarray(picture.convert("RGB")))
    content = stored(picture, "JPEG", quality=100)
    assert b"Adobe" in content  # whose inks are stored inverted
    assert np.abs(decoding.decode(content).astype(int) - smooth()).mean() < 3
    assert not decoding.is_plain_jpeg(content)
    # The same as YCCK: what the marker calls CMYK are then luma, two colour differences and black.
    inks = np.asarray(picture)
    luma = Image.merge("RGB", [Image.fromarray(inks[..., band]) for band in range(3)]).convert("YCbCr")
    ycck = Image.merge("CMYK", [*(band.point(lambda v: 255 - v) for band in luma.split()), picture.getchannel(3)])
    content = stored(ycck, "JPEG", quality=100)
    marker = content.index(b"Adobe") + 11
    content = content[:marker] + b"\x02" + content[marker + 1 :]
    assert np.abs(decoding.decode(content).astype(int) - smooth()).mean() < 4


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_frames(form, recwarn):
    frames = [Image.new("RGB", (9, 7), colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if form == "WEBP" else {}
    content = stored(frames[0], form, save_all=True, append_images=frames[1:], **options)
    assert (decoding.decode(content) == (255, 0, 0)).all()
    gc.collect()
    assert not recwarn.list


def test_paths_bytes_and_open_files_are_read_alike(tmp_path):
    path = tmp_path / "scene.png"
    path.write_bytes(stored(Image.fromarray(SCENE), "PNG"))
    content = path.read_bytes()
    with path.open("rb") as file:
        for source in (path, str(path), content, bytearray(content), memoryview(content), file, io.BytesIO(content)):
            np.testing.assert_array_equal(decoding.decode(source), SCENE)
        assert not file.closed


def test_plain_jpegs_are_told_from_others():
    picture = Image.fromarray(smooth())
    assert decoding.is_plain_jpeg(stored(picture, "JPEG"))
    assert decoding.is_plain_jpeg(stored(picture.convert("L"), "JPEG"))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert not decoding.is_plain_jpeg(stored(picture, "JPEG", exif=exif))
    assert not decoding.is_plain_jpeg(stored(picture, "PNG"))


@pytest.mark.parametrize("form", decoding.FORMATS)
def test_a_picture_cut_short_is_refused_in_one_sentence(form, tmp_path, capfd):
    content = stored(Image.fromarray(SCENE.repeat(8, 0).repeat(8, 1)), form)
    for kept in (0.02, 0.5, 0.9):
        path = tmp_path / f"cut.{form.lower()}"
        path.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(InputError, match=r"cut\.\w+ is not a picture that can be read") as refused:
            decoding.decode(path)
        assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("not a picture, however long this text may be")
    (tmp_path / "paint.eps").write_bytes(stored(Image.fromarray(SCENE), "EPS"))
    (tmp_path / "icon.ico").write_bytes(stored(Image.fromarray(SCENE), "ICO"))
    os.mkfifo(tmp_path / "pipe.png")
    cases = {
        "empty.png": "empty.png is empty",
        "text.jpg": "text.jpg is not a picture that can be read; expected BMP",
        "paint.eps": "paint.eps is not a picture",
        "icon.ico": "icon.ico is not a picture",
        "pipe.png": "pipe.png is not a file",
        "absent.png": "there is no picture .*absent.png",
        "": "is a folder, not a picture",
        "a\0b": "cannot read",
        "x" * 300: "cannot read",
    }
    for name, sentence in cases.items():
        with pytest.raises(InputError, match=sentence) as refused:
            decoding.decode(f"{tmp_path}/{name}")
        assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="scan 3 is not a picture"):
        decoding.decode(b"nonsense", name="scan 3")
    with pytest.raises(InputError, match="binary mode"), (tmp_path / "text.jpg").open() as file:
        decoding.decode(file)
    with pytest.raises(InputError, match="this is int"):
        decoding.decode(3)


def test_values_that_are_no_numbers_are_refused():
    content = stored(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF")
    with pytest.raises(InputError, match="not a picture"):
        decoding.decode(content)


def test_a_picture_without_pixels_is_refused():
    content = bytearray(stored(Image.fromarray(SCENE), "PNG"))
    content[16:20] = bytes(4)  # its width
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    with pytest.raises(InputError, match="not a picture"):
        decoding.decode(bytes(content))


def test_picture_bombs_are_refused_before_they_are_decoded():
    for side in (10_001, 20_000):
        small = bytearray(stored(Image.new("1", (8, 8)), "BMP"))
        small[18:26] = side.to_bytes(4, "little") * 2
        with warnings.catch_warnings(), pytest.raises(InputError, match="more than 100,000,000 pixels"):
            warnings.simplefilter("error")
            decoding.decode(bytes(small))


def test_decoding_imports_neither_tensorflow_nor_keras():
    program = (
        "import sys; import keras_classics.datasets.decoding; "
        "sys.exit(not {'tensorflow', 'keras'}.isdisjoint(sys.modules))"
    )
    root = pathlib.Path(decoding.__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(root)})


def test_nothing_is_left_to_be_ignored_at_exit(tmp_path):
    """Frames that were not read, and files that were refused, leave no "Exception ignored" and no open file."""
    frames = [Image.new("L", (9, 7), 80 * index) for index in range(3)]
    for form in ("GIF", "PNG", "TIFF", "WEBP"):
        content = stored(frames[0], form, save_all=True, append_images=frames[1:])
        (tmp_path / f"whole.{form}").write_bytes(content)
        (tmp_path / f"cut.{form}").write_bytes(content[: len(content) // 2])
    program = (
        "import sys\nfrom keras_classics.datasets import decoding\nfor path in sys.argv[1:]:\n"
        "    try:\n        decoding.decode(path)\n    except ValueError:\n        pass"
    )
    root = pathlib.Path(decoding.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program, *sorted(tmp_path.iterdir())],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
