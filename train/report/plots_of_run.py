"""Which plots a run gets, and what each of them shows; ``plots`` draws them."""

import numpy as np

from keras_classics.datasets import pipeline
from train.report import plain_text, plots

SHOWN_CLASSES = 30  # of lowest accuracy
SHOWN_MISTAKES = 24  # most confident ones
_MATRIX_CLASSES = 30  # beyond, a table of what is most often confused stands alone


def of_run(record, loss, results, model, size, bgr):
    """Ending of the file → function that draws the picture to a path; only those that show something."""
    batch = record["recipe"]["batch_size"]
    names = plain_text.short(results.class_names)

    def curves(path):
        title = f"{record['network']} on {record['dataset']['name']}, batches of {batch}"
        rows = {"training": record["training"], "validation": record["validation"]}
        plots.write_curves(path, title=title, loss=loss, **rows, test=record["test"]["accuracy"])

    def filters(path):
        kernels, towers = _first_kernels(model)
        plots.write_filters(path, kernels=kernels[:, :, ::-1] if bgr else kernels, towers=towers)

    made = {
        "_curves.png": curves,
        "_rate.png": lambda path: plots.write_rate(path, training=record["training"], batch_size=batch),
        "_classes.png": lambda path: plots.write_classes(path, **_lowest_classes(results, names)),
    }
    if len(names) <= _MATRIX_CLASSES:
        made["_confusion.png"] = lambda path: plots.write_confusion(path, counts=results.counts, names=names)
    if len(results.wrong):
        made["_mistakes.png"] = lambda path: plots.write_mistakes(path, **_mistakes(results, names, size))
    if _first_kernels(model)[0] is not None:
        made["_filters.png"] = filters
    return made


def _lowest_classes(results, names):
    rows = sorted(results.classes(), key=lambda row: row[2] / row[1])[:SHOWN_CLASSES]
    return {
        "names": [names[label] for label, *_ in rows],
        "accuracies": np.array([right / total for _, total, right, _ in rows]),
        "intervals": np.array([row[3] for row in rows]),
        "overall": results.counts.trace() / results.counts.sum(),
    }


def _mistakes(results, names, size):
    """Pictures of the most confident mistakes, and what to write under each."""
    chosen = results.confident_mistakes(SHOWN_MISTAKES)
    split = results.split
    return {
        "images": pipeline.load_pictures(split.take(chosen), size),
        "texts": [
            f"{names[label]}\n→ {names[predicted]}, {probability:.1%}"
            for label, predicted, probability in zip(
                split.labels[chosen], results.predicted[chosen], results.probabilities[chosen].max(axis=1), strict=True
            )
        ],
    }


def _first_kernels(model):
    """Kernels ``(height, width, 1 or 3, n)`` of the first convolution, and the groups that the second sees them in."""
    layers = [layer for layer in model.layers if np.ndim(getattr(layer, "kernel", None)) == 4]
    if not layers or layers[0].kernel.shape[2] not in (1, 3):
        return None, 1
    kernels = np.asarray(layers[0].get_weights()[0])
    towers = getattr(layers[1], "groups", 1) if len(layers) > 1 else 1
    return kernels, towers if kernels.shape[-1] % towers == 0 else 1
