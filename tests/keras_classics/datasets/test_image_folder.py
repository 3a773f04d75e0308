"""Folders as people have them: what is data, which folders are splits, and how few pictures are split."""

import os
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_classics import datasets
from keras_classics.datasets import picture_files, split_names
from keras_classics.errors import InputError


@pytest.fixture
def made(tmp_path):
    """``made({"cat": 5, …})``: a folder of so many different small pictures in each sub-folder."""
    random = np.random.default_rng(0)

    def make(counts, root=tmp_path / "pictures"):
        for name, count in counts.items():
            (root / name).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = random.integers(0, 256, (4, 5, 3), np.uint8)
                Image.fromarray(pixels).save(root / name / f"{number}.png")
        return root

    return make


def load(root):
    return datasets.load(f"folder:{root}")


def splits_of(data):
    return {part: list(getattr(data, part).images) for part in ("train", "validation", "test")}


def sizes(data, label=None):
    splits = (data.train, data.validation, data.test)
    return [len(s) if label is None else int((s.labels == label).sum()) for s in splits]


def test_hidden_and_system_files_are_no_data_and_are_counted(made, capsys):
    root = made({"cat": 6, "dog/puppies": 6})
    picture = root / "cat" / "0.png"
    strays = ("cat/._0.png", "__MACOSX/cat/x.png", "dog/.ipynb_checkpoints/0-checkpoint.png", "cat/@eaDir/0.png")
    strays += ("dog/puppies/Thumbs.db", "cat/desktop.ini", ".DS_Store", "$RECYCLE.BIN/a.png", ".cache/a/b.png")
    strays += ("dog/System Volume Information/a.png", "lost+found/a.jpg", "cat/#recycle/0.PNG")
    for stray in strays:
        (root / stray).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, root / stray)
    data = load(root)
    assert data.class_names == ("cat", "dog")
    assert sum(sizes(data)) == 12
    said = capsys.readouterr().err
    assert "4 hidden (such as '.DS_Store')" in said
    assert "8 of the operating system" in said


def test_other_files_loose_pictures_and_bad_links_are_counted(made, capsys):
    root = made({"cat": 6, "dog": 6, ".": 2})
    (root / "cat" / "a.HEIC").write_bytes(b"x")
    (root / "readme").write_text("x")
    (root / "cat" / "gone.png").symlink_to(root / "nothing.png")
    (root / "dog" / "again").symlink_to(root)  # a link that leads back
    (root / "empty").mkdir()
    os.mkfifo(root / "dog" / "pipe.png")
    data = load(root)
    assert sum(sizes(data)) == 12
    said = capsys.readouterr().err
    for part in (".heic 1", "without a suffix 1", "2 pictures outside", "1 links to nothing ('cat/gone.png')"):
        assert part in said
    for part in ("1 links that lead back", "1 folders without a picture ('empty')", "1 no files ('dog/pipe.png')"):
        assert part in said


@pytest.mark.parametrize("suffix", [".heic", ".avif", ".txt"])
def test_a_class_of_files_that_are_not_read_is_an_error(suffix, made):
    root = made({"cat": 6, "dog": 6, "owl": 4})
    for path in (root / "owl").iterdir():
        path.rename(path.with_suffix(suffix))
    with pytest.raises(InputError, match=rf"owl has no picture that can be read, only \{suffix} 4; expected \.bmp"):
        load(root)


def test_suffixes_are_read_in_any_case(made):
    root = made({"cat": 4, "dog": 4})
    for number, suffix in enumerate((".JPG", ".jfif", ".WebP", ".TIF")):
        path = root / "cat" / f"{number}.png"
        path.rename(path.with_suffix(suffix))
    assert sum(sizes(load(root))) == 8


def test_folders_of_pictures_without_classes_pass_over_strays_too(made, capsys):
    root = made({"a/b": 3, "__MACOSX": 2})
    shutil.copy(root / "a" / "b" / "0.png", root / "._0.png")
    assert {path.parent.name for path in picture_files.in_folder(root)} == {"b"}
    assert "1 hidden" in capsys.readouterr().err
    (root / "heic").mkdir()
    (root / "heic" / "a.heic").touch()
    with pytest.raises(InputError, match=r"has no pictures .* only files in other formats \(.heic 1\)"):
        picture_files.in_folder(root / "heic")


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Train", "Valid", "TEST"),
        ("training_set", "validation_set", "test_set"),
        ("train_images", "dev", "testImages"),
        ("TrainData", "eval", "testing"),
        ("train2017", "val2017", "test2017"),
        ("seg_train", "seg_val", "seg_test"),
        ("训练集", "验证集", "测试集"),
    ],
)
def test_usual_spellings_of_splits_are_splits(names, made):
    root = made({f"{name}/{kind}": 2 for name in names for kind in ("cat", "dog")})
    data = load(root)
    assert data.class_names == ("cat", "dog")
    for name, paths in zip(names, splits_of(data).values(), strict=True):
        assert {pathlib.Path(path).relative_to(root).parts[0] for path in paths} == {name}


@pytest.mark.parametrize("other", ["test", "Test", "test_set", "testing", "eval", "val", "holdout"])
def test_what_is_beside_train_tests(other, made):
    root = made({f"{name}/{kind}": 5 for name in ("Train", other) for kind in ("cat", "dog")})
    assert sizes(load(root)) == [8, 2, 10]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("train/cat", "train/dog", "test/cat", "test/dog", "misc"), "'misc' beside 'test' and 'train'"),
        (("train/cat", "train/dog", "test1/cat", "test1/dog"), "'test1', which may or may not be a split"),
        (("test/cat", "test/dog"), "'test' and nothing to train from"),
        (("val/cat", "val/dog", "cat", "dog"), "'cat' and 'dog' beside 'val'"),
        (("cat", "dog", "test"), "'cat' and 'dog' beside 'test'"),
        (("train", "test"), "'test' and 'train', with pictures but no class folders"),
        (("train/cat", "train/dog", "test"), "'test', with pictures but no class folders"),
        (("Train/cat", "Train/dog", "train/cat", "train/dog"), "'Train' and 'train', which are the same split"),
        (("train/a", "train/b", "val/a", "val/b", "valid/a", "valid/b"), "'val' and 'valid', which are the same split"),
        (("train/ice", "train/steam", "car"), "'car' beside 'train'"),
    ],
)
def test_what_looks_like_splits_and_does_not_fit_is_an_error(names, said, made):
    with pytest.raises(InputError, match=said) as refused:
        load(made(dict.fromkeys(names, 3)))
    assert "expected class folders alone, or a folder train and beside it val or test" in str(refused.value)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("train/a", "train/b", "test/a", "test/b", "test/c"), "test has a class 'c' that is not trained on"),
        (("train/a", "train/b", "train/c", "val/a", "val/b"), "val has no picture of the class 'c'"),
        (("cat/train", "cat/test", "dog/train", "dog/test"), "cat holds splits .test, train.; put them outside"),
        (("photos/cat", "photos/dog"), "pictures/photos that you mean"),
    ],
)
def test_other_layouts_that_would_mix_or_lose_classes_are_errors(names, said, made):
    with pytest.raises(InputError, match=said):
        load(made(dict.fromkeys(names, 3)))


@pytest.mark.parametrize("names", [("train", "car"), ("valid", "invalid"), ("test_tube", "train station", "value")])
def test_classes_may_be_called_almost_like_splits(names, made):
    assert set(load(made(dict.fromkeys(names, 3))).class_names) == set(names)


def test_any_name_is_a_class_in_a_folder_train(made):
    data = load(made({f"train/{name}": 4 for name in ("train", "test", "car")}))
    assert data.class_names == ("car", "test", "train")
    assert min(sizes(data)) >= 3


@pytest.mark.parametrize(
    "name", ["Trains", "testament", "valley", "developer", "test_tube", "steam_train", "évaluation", "t", "猫", "_"]
)
def test_other_names_are_no_splits(name):
    assert split_names.role_of(name) is None


def test_folders_beside_splits_that_hold_no_pictures_are_named(made, capsys):
    root = made({"train/a": 3, "train/b": 3, "test/a": 3, "test/b": 3})
    (root / "annotations").mkdir()
    assert sizes(load(root))[2] == 6
    assert "1 folders without a picture ('annotations')" in capsys.readouterr().err


def test_names_composed_differently_are_one_class(made):
    root = made({"train/caf\u00e9": 4, "train/bar": 4, "test/cafe\u0301": 4, "test/bar": 4})
    assert load(root).class_names == ("bar", "caf\u00e9")


@pytest.mark.parametrize("counts", [(3, 3), (3, 30, 100), (5,) * 12, (3,) * 1000])
def test_every_class_of_three_pictures_is_in_every_split(counts, made):
    counts = {f"class {number}": count for number, count in enumerate(counts)}
    root = made({name: 0 for name in counts})
    for name, count in counts.items():
        for number in range(count):
            (root / name / f"{number}.png").write_bytes(f"{name} {number}".encode())  # not decoded here
    data = load(root)
    for label in range(len(counts)):
        assert min(sizes(data, label)) >= 1
    assert sum(sizes(data)) == sum(counts.values())


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_pictures_say_how_many_a_class_needs(count, made):
    with pytest.raises(InputError, match="too few to train, validate and test: a class needs 3 at least"):
        load(made({"cat": count, "dog": count}))


def test_one_small_class_among_others_is_told_of(made, capsys):
    data = load(made({"cat": 1, "dog": 2, "owl": 9}))
    assert [sizes(data, label) for label in (0, 1)] == [[1, 0, 0], [1, 0, 1]]
    assert "2 of 3 classes lack a picture to validate or test with (such as 'cat')" in capsys.readouterr().err


def test_adding_pictures_moves_none_of_a_folder_that_has_enough(made):
    root = made({"cat": 60, "dog": 60})
    before = splits_of(load(root))
    made({"more": 30}, root.parent)
    for number, path in enumerate(sorted((root.parent / "more").iterdir())):
        path.rename(root / "cat" / f"new {number}.png")
    after = splits_of(load(root))
    for part, paths in before.items():
        assert set(paths) <= set(after[part])


def test_copies_go_into_the_same_split(made, capsys):
    root = made({"cat": 20, "dog": 20})
    for number in range(20):
        for copy in range(3):
            shutil.copy(root / "cat" / f"{number}.png", root / "cat" / f"copy {copy} of {number}.png")
    contents = [{pathlib.Path(path).read_bytes() for path in paths} for paths in splits_of(load(root)).values()]
    assert not contents[0] & contents[1] and not contents[0] & contents[2] and not contents[1] & contents[2]
    assert "60 pictures are copies of others; they go into the same split" in capsys.readouterr().err


def test_classes_of_equal_pictures_are_split_all_the_same(made, capsys):
    root = made({"red": 0, "blue": 0})
    for name in ("red", "blue"):
        for number in range(30):
            Image.new("RGB", (4, 4), name).save(root / name / f"{number}.png")
    assert min(sizes(load(root))) >= 2
    assert "fewer than 3 pictures that differ, and the result flatters" in capsys.readouterr().err


def test_a_picture_in_two_classes_is_told_of(made, capsys):
    root = made({"cat": 9, "dog": 9})
    shutil.copy(root / "cat" / "1.png", root / "dog" / "cat.png")
    load(root)
    assert "2 pictures are in more than one class (such as " in capsys.readouterr().err


def test_copies_of_test_pictures_do_not_train(made, capsys):
    root = made({f"{part}/{name}": 10 for part in ("train", "test") for name in ("cat", "dog")})
    for number in range(4):
        shutil.copy(root / "test" / "cat" / f"{number}.png", root / "train" / "cat" / f"copy {number}.png")
    data = load(root)
    assert sum(sizes(data)) == 40
    assert not any("copy" in path for path in [*data.train.images, *data.validation.images])
    assert "4 pictures are left out of training or validation" in capsys.readouterr().err
