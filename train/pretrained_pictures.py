"""The packaged weights of AlexNet for CIFAR-10, and their card: trained, then pruned until they are small."""

import io
import json
import statistics

from keras_classics import files
from keras_classics.errors import InputError
from train import finished_runs

VARIANT = "cifar10_batchnorm"
_FILE = "alexnet_cifar10.weights.h5"


def make(args, out, runs):
    """Train ``args.seeds`` networks, prune each; write the weights of seed 0, ``cifar10.json`` and ``CIFAR10.md``."""
    seeds = [_trained_and_pruned(runs, seed, args) for seed in range(args.seeds)]
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    size = _package(runs / "alexnet_pruned-0", out / _FILE)
    row = {
        "file": _FILE,
        "variant": VARIANT,
        "sha256": files.digest(out / _FILE),
        "accuracies": [_percent(pruned) for _, pruned in seeds],
        "before_pruning": [_percent(whole) for whole, _ in seeds],
    }
    for name, text in (
        ("cifar10.json", json.dumps([row], indent=2) + "\n"),
        ("CIFAR10.md", card(row, seeds[0], size, args.note)),
    ):
        with files.whole_file(out / name) as partial:
            partial.write_text(text, encoding="utf-8")
    print(f"{_FILE}: {_mean(row['accuracies'])}, before pruning {_mean(row['before_pruning'])}; {size:,} bytes")
    print(f"Wrote {_FILE}, cifar10.json and CIFAR10.md to {out}/")


def _trained_and_pruned(runs, seed, args):
    """What the two runs of a seed recorded, after training them where there are none yet."""
    shared = ("--dataset", "cifar10", "--variant", VARIANT, "--precision", args.precision, "--seed", seed)
    folder = runs / f"alexnet-{seed}"
    whole = finished_runs.history(folder, "train.alexnet", shared, args.data_dir)
    pruning = ("--recipe", "pruned", "--weights", folder / "alexnet.keras", *shared)
    pruned = finished_runs.history(runs / f"alexnet_pruned-{seed}", "train.alexnet", pruning, args.data_dir)
    for record, zeros in ((whole, False), (pruned, True)):
        try:
            found = record["dataset"]["name"], record["recipe"]["seed"], record["recipe"].get("prune_dense", 0) > 0
            known = found == ("cifar10", seed, zeros) and VARIANT in record["network"]
        except (KeyError, TypeError, AttributeError):
            known = False
        if not known:
            raise InputError(f"a run of seed {seed} in {runs} is not of AlexNet {VARIANT} on cifar10; remove it.")
    return whole, pruned


def _package(run, path):
    """Write the weights of a run, compressed; the file's size in bytes."""
    model = finished_runs.model(run / "alexnet.keras")
    with files.whole_file(path) as partial:
        model.save_weights(partial)
        _compress(partial)
    return path.stat().st_size


def _compress(path):
    """Compress the arrays of an HDF5 file with gzip, which any reader of HDF5 undoes."""
    import h5py

    plain = io.BytesIO(path.read_bytes())
    with h5py.File(plain) as before, h5py.File(path, "w") as after:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                copied = after.create_group(name)
            else:
                packed = {"compression": "gzip", "compression_opts": 9} if item.size > 1 else {}
                copied = after.create_dataset(name, data=item[()], **packed)
            copied.attrs.update(item.attrs)

        before.visititems(copy)
        after.attrs.update(before.attrs)


def _percent(record):
    return round(100 * record["test"]["accuracy"], 2)


def _mean(accuracies):
    spread = f" ± {statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else ""
    return f"{statistics.mean(accuracies):.2f}{spread} %"


def card(row, records, size, note=""):
    """The model card, in Markdown; ``note`` is a sentence on the data."""
    whole, pruned = (record["recipe"] for record in records)
    seeds = len(row["accuracies"])
    return _CARD.format(
        variant=row["variant"],
        file=row["file"],
        megabytes=size / 1e6,
        parameters=records[0]["parameters"],
        accuracy=_mean(row["accuracies"]),
        before=_mean(row["before_pruning"]),
        seeds="one seed" if seeds == 1 else f"mean ± standard deviation of {seeds} seeds; the file is of seed 0",
        each=", ".join(f"{accuracy:.2f}" for accuracy in row["accuracies"]),
        precision=records[0]["precision"],
        whole=whole,
        pruned=pruned,
        convolutions=pruned["prune_convolutions"],
        dense=pruned["prune_dense"],
        note=note and f" {note}",
        **records[0]["dataset"]["images"],
    )


_CARD = """\
# Model card: AlexNet trained on CIFAR-10

Weights of `AlexNet(weights="cifar10", variant="{variant}")`. Written by `python -m train.pretrained cifar10`.

| parameters | test accuracy | before pruning | each seed, from 0 | file |
| ---: | --- | --- | --- | --- |
| {parameters:,} | {accuracy} | {before} | {each} | `{file}`, {megabytes:.1f} MB |

- **Accuracy.** Of CIFAR-10's {test:,} test pictures, looked at once at the end of each run; {seeds}.
- **Data.** CIFAR-10 as TensorFlow Datasets has it: {train:,} pictures to train on, {validation:,} of the training
  pictures to watch, {test:,} to test.{note}
- **Recipe.** `python -m train.alexnet --variant {variant}`, in `{precision}`: {whole[epochs]} epochs, batches of
  {whole[batch_size]}, momentum {whole[momentum]:g}, learning rate up to {whole[learning_rate]:g}, decay
  {whole[weight_decay]:g}, labels smoothed by {whole[label_smoothing]:g}. Then `--recipe pruned`: {convolutions:.0%} of
  the inner convolutions' weights and {dense:.0%} of the inner fully connected layers' become 0, {pruned[epochs]} epochs
  train the others, and those of each layer end as {pruned[clusters]} different values (after Han et al., 2016).
- **Input.** `keras_classics.alexnet.preprocess_input(pixels, variant="{variant}")` of 0–255 pixels, RGB, 32×32.
- **Classes.** airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.
- **Limits.** Small pictures of one of ten kinds of thing, cut out as those of the data are. Any other picture is called
  one of these too. For a network of your own classes go on from these weights:
  `python -m train.alexnet --variant {variant} --weights cifar10 --dataset folder:PATH`.
- **Licence.** Apache-2.0, as the package. The pictures of CIFAR-10 come from the 80 Million Tiny Images collection.
"""
