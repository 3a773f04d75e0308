"""Claims: what their rows train, what verdicts say, and the command from rows to page."""

import dataclasses
import math
import pathlib
import types

import keras
import numpy as np
import pytest

import keras_classics
from keras_classics import alexnet_variants, connections
from train import claims
from train.experiments import page, pictures, verdicts
from train.experiments.arm import ANSWERS
from train.experiments.claim import Comparison, marks
from train.experiments.networks import Digits, Small

ROOT = pathlib.Path(claims.__file__).resolve().parent.parent


def test_rows_name_their_arms_and_have_a_place_in_the_page():
    text = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    for name, claim in claims.CLAIMS.items():
        assert all({one.arm, one.than} <= set(claim.arms) for one in claim.comparisons)
        assert len({arm.key() for arm in claim.arms.values()}) == len(claim.arms)
        assert claim.comparisons or claim.picture == "averaged"
        begin, end = marks(name)
        assert text.index(begin) < text.index(end)
        assert claim.sentence in text


def test_an_arm_of_a_named_network_is_another_when_its_numbers_change(monkeypatch):
    arm = claims.CLAIMS["seven"].arms["AlexNet"]
    before, numbers = arm.key(), alexnet_variants.VARIANTS["cifar10"]
    monkeypatch.setitem(alexnet_variants.VARIANTS, "cifar10", dataclasses.replace(numbers, stride=numbers.stride + 1))
    assert arm.key() != before
    monkeypatch.setitem(alexnet_variants.VARIANTS, "cifar10", numbers)
    assert arm.key() == before


def test_digits_are_lenet5_at_both_ends_of_its_history():
    for variant, network in (
        ("modern", Digits()),
        ("1998", Digits("scaled_tanh", table_i=True, trained_subsampling=True, prototypes=True)),
    ):
        reference = keras_classics.LeNet5(variant=variant, classifier_activation="softmax")
        model = network.build(10)
        assert [w.shape for w in model.weights] == [w.shape for w in reference.weights]
        model.set_weights(reference.get_weights())
        images = np.random.default_rng(0).normal(size=(2, 32, 32, 1)).astype("float32")
        np.testing.assert_allclose(model(images), reference(images), atol=1e-6)
        assert connections(model) == connections(reference)


def test_kernels_of_all_sizes_have_about_as_many_parameters():
    counts = [arm.network.build(10).count_params() for arm in claims.CLAIMS["kernel"].arms.values()]
    assert max(counts) < 1.01 * min(counts)


def test_each_convolution_can_be_left_out_and_pooling_stays():
    for number in range(5):
        model = Small().without_convolution(number).build(10)
        kinds = [type(layer).__name__ for layer in model.layers]
        assert (kinds.count("Conv2D"), kinds.count("MaxPooling2D")) == (4, 3)
        assert model.get_layer("flatten").input.shape[1] == 4


def test_normalization_and_groups_are_where_the_row_says():
    batch = Small(normalization="batch").build(10)
    assert [layer.name for layer in batch.layers if isinstance(layer, keras.layers.BatchNormalization)] == [
        "norm1",
        "norm2",
    ]
    lrn = Small(normalization="lrn").build(10)
    assert [layer.name for layer in lrn.layers if "Normalization" in type(layer).__name__] == ["norm1", "norm2"]
    assert Small(groups=(1, 2, 1, 2, 2)).build(10).get_layer("conv2").groups == 2


def test_divided_pixels_are_normalized_as_the_paper_normalizes_pixels():
    lrn = Small(normalization="lrn").build(10)
    assert lrn.get_layer("norm1").alpha == pytest.approx(1e-4 * 64**2)
    pixels = np.random.default_rng(0).normal(0, 64, (2, 32, 32, 3)).astype("float32")
    scaled = keras.Model(lrn.input, lrn.get_layer("norm2").output)(pixels)
    x = pixels
    for number in (1, 2):
        x = keras.ops.relu(lrn.get_layer(f"conv{number}").convolution_op(x, lrn.get_layer(f"conv{number}").kernel))
        x = keras_classics.layers.LocalResponseNormalization(**keras_classics.alexnet.VARIANTS["paper"].lrn)(x)
        x = lrn.get_layer("pool1")(x) if number == 1 else x
    np.testing.assert_allclose(scaled * 64, x, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("better", "worse", "size", "verdict"),
    [
        ([1.0, 1.1, 0.9], [3.1, 3.0, 2.9], 2.0, "**Holds**"),
        ([1.0, 1.1, 0.9], [1.5, 1.6, 1.4], 2.0, "**Holds in direction, not in size**"),
        ([1.0, 2.0, 0.5], [1.5, 1.0, 1.4], None, "**Not decided here**"),
        ([1.0, 1.1, 0.9], [1.0, 1.1, 1.0], 0.4, "**Does not hold here**, the difference cannot be told from none"),
        ([1.0, 2.0, 0.9], [1.5, 1.0, 1.0], None, "**Does not hold here**, the difference cannot be told from none"),
        ([3.1, 3.0, 2.9], [1.0, 1.1, 0.9], None, "**Does not hold here**, it is the other way round"),
        ([1.0], [3.0], None, "**Not decided here**"),  # one seed has no spread
        ([3.0, 1.0], [1.5, 2.0], 2.0, "**Not decided here**"),  # the mean is the other way round; 2 is in the interval
    ],
)
def test_verdicts_on_errors(better, worse, size, verdict):
    finding = verdicts.paired(better, worse)
    assert finding.value == pytest.approx(np.mean(worse) - np.mean(better))
    assert verdicts.sentence(Comparison("a", "b", size), finding).startswith(verdict)


def test_a_difference_of_the_other_sign_is_said_as_more():
    finding = verdicts.paired([3.0, 3.2, 2.8], [1.0, 1.2, 1.1])
    said = verdicts.sentence(Comparison("a", "b", 2.0), finding)
    assert "a against b, 1.90 points more errors (95 % interval 1.47 to 2.33); claimed: 2.00 fewer." in said
    factor = verdicts.sentence(Comparison("a", "b"), verdicts.paired([8.0, 8.0], [4.0, 4.0], factor=True))
    assert "2.00 times more epochs (95 % interval 2.00 to 2.00)" in factor


def test_verdicts_on_epochs_are_factors_and_a_run_that_never_arrives_has_no_end():
    finding = verdicts.paired([4.0, 5.0, 4.5], [24.0, 31.0, 26.0], factor=True)
    assert finding.value == pytest.approx(6, rel=0.1)
    assert verdicts.sentence(Comparison("ReLU", "tanh", 6.0), finding).startswith("**Holds**")
    never = verdicts.paired([4.0, 5.0], [math.inf, math.inf], factor=True)
    assert never.holds
    assert "∞ times fewer epochs (seeds from ∞ to ∞)" in verdicts.sentence(Comparison("ReLU", "sigmoid"), never)
    behind = verdicts.paired([22.0, math.inf], [14.0, 14.0], factor=True)
    assert "1.57 times more epochs (seeds from 1.57 to ∞)" in verdicts.sentence(Comparison("a", "b", 6.0), behind)
    neither = verdicts.paired([math.inf], [math.inf], factor=True)
    assert "neither reached 25%" in verdicts.sentence(Comparison("a", "b"), neither)


def test_epochs_count_from_the_mean_of_each_epoch():
    rows = [{"epoch": (n + 1) / 2, "steps": 10, "accuracy": 0.2 * n} for n in range(6)]
    run = types.SimpleNamespace(record={"training": rows, "test": {"accuracy": 0.5}}, measures={"training_error": 0.4})
    assert verdicts.training_errors(run) == [
        (1.0, pytest.approx(0.9)),
        (2.0, pytest.approx(0.5)),
        (3.0, pytest.approx(0.1)),
    ]
    assert verdicts.epochs_to_reach(run) == 3.0
    assert verdicts.gap(run) == pytest.approx(10.0)


def test_an_average_is_compared_over_images():
    wrong = np.array([True] * 50 + [False] * 950)
    finding = verdicts.over_images(wrong, np.where(wrong, 1.0, 0.02))
    assert finding.holds
    assert finding.value == pytest.approx(1.9)


def test_networks_averaged_are_judged_by_what_each_answered(tmp_path):
    """Three networks that err on different images; two of three outvote the third."""
    labels, runs = np.arange(300) % 10, []
    for number in range(3):
        said = labels.copy()
        said[number * 20 : number * 20 + 20] += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        probabilities = np.eye(10, dtype="float32")[said % 10]
        np.savez(folder / ANSWERS, probabilities=probabilities, labels=labels)
        runs.append(types.SimpleNamespace(folder=folder))
    assert page.wrong_of(runs[:1]).sum() == 20
    assert not page.wrong_of(runs).any()
    assert page.verdict(claims.CLAIMS["seven"], {"LeNet-5": runs}).startswith("- **Holds**: 3 × LeNet-5 averaged")
    pictures.averaged(tmp_path / "seven.png", None, {"LeNet-5": runs})
    assert (tmp_path / "seven.png").read_bytes()[:4] == b"\x89PNG"


def test_numbers_at_the_axes_can_be_read(tmp_path, monkeypatch):
    """Text is drawn as it is, and so would be the formulas that logarithmic axes have by themselves."""
    saved = []
    monkeypatch.setattr(pictures, "save", lambda figure, path: saved.append(figure))
    rows = [{"epoch": float(n), "steps": 10, "accuracy": 0.1 * n} for n in range(1, 9)]
    record = {"training": rows, "test": {"accuracy": 0.8}, "dataset": {"images": {"train": 1000}}}
    measures = {
        "gradients": {"conv1": 0.003, "conv2": 2.0, "output": 40.0},
        "sampled": [[1, 0.4], [2, 0.3], [64, 0.2]],
        "scaled": 0.2,
        "training_error": 0.1,
    }
    found = {"a, b": [types.SimpleNamespace(record=record, measures=measures)]}
    for name in ("training error", "amounts", "sampled", "dots"):
        pictures.PICTURES[name](tmp_path / "p.png", None, found)
    for figure in saved:
        figure.canvas.draw()
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                texts = [tick.get_text() for tick in axis.get_ticklabels(which="both")]
                assert not any("$" in text or "\\" in text for text in texts), texts
    assert len(saved) == 4


def test_a_claim_from_rows_to_page_and_again(command, tmp_path):
    into = tmp_path / "claims.md"
    begin, end = marks("kernel")
    into.write_text(f"before\n{begin}\n{end}\nafter\n", encoding="utf-8")
    given = ("train.claims", "kernel", "--quick", "--seeds", 1, "--digits", "embedded", "--into", into)
    given += ("--precision", "mixed_bfloat16")
    done = command(*given, "--runs", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    text = into.read_text(encoding="utf-8")
    assert text.startswith("before")
    assert "Trained in `mixed_bfloat16`" in text
    assert "| 7×7 | 61,601 |" in text
    assert "Quick form" in text
    assert (tmp_path / "claims" / "kernel.png").read_bytes()[:4] == b"\x89PNG"
    again = command(*given, "--runs", tmp_path / "runs")
    assert again.returncode == 0
    assert "step" not in again.stdout
    assert into.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(("nonsense",), "there is no claim 'nonsense'"), (("relu",), "needs one line"), (("--seeds", "0"), "--seeds")],
)
def test_what_cannot_be_claimed_is_a_sentence(arguments, reason, called, tmp_path):
    into = tmp_path / "claims.md"
    into.write_text("no marks", encoding="utf-8")
    done = called("train.claims", *arguments, "--into", into, "--runs", tmp_path / "runs")
    assert done.returncode == 2
    assert reason in done.stderr
    assert not (tmp_path / "runs").exists()
