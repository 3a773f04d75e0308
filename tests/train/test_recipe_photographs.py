"""The recipe "photographs": what it adds to MNIST's training digits."""

import numpy as np
import pytest

from keras_classics import Recognizer
from train import letters, photographs, recipes


@pytest.fixture(scope="module")
def digits(embedded):
    return embedded.train.images[:200, ..., 0], embedded.train.labels[:200]


def test_pictures_are_fields_with_labels_of_ten_classes_and_of_none(digits):
    images, labels = photographs.pictures(*digits, seed=3, counts=(6, 5, 3, 4))
    assert images.shape == (18, 32, 32)
    assert images.dtype == np.uint8
    assert (images.max(axis=(1, 2)) > 200).all()
    assert (labels[:14] < 10).all()
    assert (labels[14:] == 10).all()


def test_a_seed_draws_the_same_pictures_again(digits):
    first, again, other = (photographs.pictures(*digits, seed=seed, counts=(3, 3, 3, 3)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize("made", [photographs.restyled, photographs.drawn, photographs.small])
def test_restyled_drawn_and_small_digits_are_still_what_their_labels_say(digits, made):
    random, reader = np.random.default_rng(0), Recognizer(threshold=0)
    pictures = [made(*digits, random) for _ in range(60)]
    right = [reader.answer((image[..., None], None)).label == str(label) for image, label in pictures]
    assert np.mean(right) >= 0.9


def test_the_packaged_network_is_sure_of_few_letters():
    random, reader = np.random.default_rng(0), Recognizer()
    fields = [photographs._as_photographed(letters.letter(random), random, clean=True) for _ in range(60)]
    assert np.mean([reader.answer((image[..., None], None)).label != "?" for image in fields]) <= 0.1


def test_letters_that_are_drawn_or_printed_are_no_look_alikes_of_digits():
    assert not set(letters.PRINTED + "".join(letters.WRITTEN)) & set("BDGIOSZbgilosqz0123456789")


def test_the_pictures_are_kept_and_drawn_anew_for_another_seed(embedded, tmp_path, monkeypatch):
    for name in ("RESTYLED", "DRAWN", "SMALL", "NONE"):
        monkeypatch.setattr(photographs, name, 2)
    calls = []

    def pictures(images, labels, seed):
        calls.append(seed)
        return images[:6], np.full(6, 10)

    monkeypatch.setattr(photographs, "pictures", pictures)
    cache, extended = tmp_path / "photographs.npz", []
    for seed in (1, 1, 2):
        extended.append(photographs.extended(embedded, seed, cache).train)
    assert calls == [1, 2]
    assert len(extended[0].images) == len(embedded.train.images) + 6
    np.testing.assert_array_equal(extended[0].images, extended[1].images)
    np.testing.assert_array_equal(extended[0].labels, extended[1].labels)


def test_the_recipe_takes_the_loss_that_knows_of_none():
    recipe = recipes.LENET5["photographs"]
    assert recipe.loss == "cross_entropy_or_none"
