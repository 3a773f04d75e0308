"""Our own parsers take any bytes, text and picture: the answer is right, or one sentence. Each run has the same."""

import contextlib
import dataclasses
import gzip
import json
import struct

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from keras_classics.datasets import idx
from keras_classics.errors import InputError
from keras_classics.recognition import description, reading, structure
from tests.hostile.common import packaged
from train import arguments, recipes

quick = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MODEL = packaged()


def refused(call, *args):
    """Whether a call ends in one of our sentences; any other error is raised."""
    try:
        call(*args)
    except InputError as error:
        assert str(error).endswith(".")
        return True
    return False


@quick
@given(values=arrays.arrays(np.uint8, arrays.array_shapes(max_dims=4, max_side=9)), zipped=st.booleans())
def test_an_idx_file_is_read_as_it_was_written(values, zipped, tmp_path):
    content = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()
    (tmp_path / "file").write_bytes(gzip.compress(content) if zipped else content)
    np.testing.assert_array_equal(idx.read(tmp_path / "file"), values)


@quick
@given(
    dimensions=st.integers(0, 255),
    sizes=st.lists(st.integers(0, 2**32 - 1), max_size=6),
    rest=st.binary(max_size=40),
    zipped=st.booleans(),
)
def test_an_idx_file_of_any_bytes_is_read_or_refused(dimensions, sizes, rest, zipped, tmp_path):
    content = struct.pack(f">4B{len(sizes)}I", 0, 0, 8, dimensions, *sizes) + rest
    (tmp_path / "file").write_bytes(gzip.compress(content) if zipped else content)
    if not refused(idx.read, tmp_path / "file"):
        assert idx.read(tmp_path / "file").tobytes() == content[4 + 4 * dimensions :]


def overridden(*told):
    parser = arguments.cli.Parser(prog="p")
    arguments.add_to(parser)
    args = parser.parse_args([word for setting in told for word in ("--set", setting)])
    return arguments.overridden(recipes.LENET5["default"], args)


FIELDS = [field.name for field in dataclasses.fields(recipes.Recipe)]


@quick
@given(name=st.sampled_from(FIELDS) | st.text(max_size=12), value=st.text(max_size=20) | st.floats().map(str))
def test_a_recipe_takes_a_setting_that_makes_sense_or_says_what_is_wrong(name, value):
    if not refused(overridden, f"{name}={value}"):
        changed = dataclasses.asdict(overridden(f"{name}={value}"))
        assert {field for field, now in changed.items() if now != getattr(recipes.LENET5["default"], field)} <= {name}
        assert np.isfinite([now for now in changed.values() if isinstance(now, (int, float))]).all()


@quick
@given(
    text=st.text(max_size=200) | st.recursive(st.none() | st.floats() | st.text(max_size=5), st.lists).map(json.dumps)
)
def test_a_description_of_any_text_is_none_or_has_labels(text):
    with contextlib.suppress(ValueError):
        assert all(isinstance(label, str) for label in description.parsed(text)["labels"])


@quick
@given(place=st.integers(0, len(MODEL) - 1), value=st.binary(min_size=1, max_size=6))
def test_a_model_that_is_written_over_anywhere_is_sound_or_damaged(place, value):
    changed = MODEL[:place] + value + MODEL[place + len(value) :]
    with contextlib.suppress(structure.DamagedError, InputError):
        structure.check(changed)
        description.find(changed, "the model")


def strokes(draw):
    """A page with strokes of any width, darkness and place: ``uint8 (height, width, 3)``."""
    height, width = draw(st.integers(1, 90)), draw(st.integers(1, 120))
    page = np.full((height, width), draw(st.sampled_from((0, 128, 255))), np.uint8)
    for _ in range(draw(st.integers(0, 6))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        down, across = draw(st.integers(1, 40)), draw(st.integers(1, 40))
        page[top : top + down, left : left + across] = draw(st.integers(0, 255))
    return np.repeat(page[..., None], 3, axis=2)


def answers(fields):
    """Ten equal probabilities for each field."""
    return np.full((len(fields), 10), 0.1, np.float32)


@quick
@given(data=st.data())
def test_any_page_gives_fields_inside_of_it(data):
    pixels = strokes(data.draw)
    height, width = pixels.shape[:2]
    found = reading.digit_field(pixels)
    boxes = [] if found is None else [found[1]]
    if found is not None:
        assert found[0].dtype == np.uint8
        assert found[0].shape == (32, 32)
    for line in reading.lines_in(pixels, answers, all_lines=True):
        assert len(line)
        boxes += [box for _, box in line]
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


@quick
@given(pixels=arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
def test_any_noise_is_read_without_an_error(pixels):
    reading.digit_field(pixels)
    reading.lines_in(pixels, answers, all_lines=False)
