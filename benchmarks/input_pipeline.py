"""``python -m benchmarks.input_pipeline``: training pictures a second and core, from JPEG files to batches of floats.

Both sides do what sections 2 and 4.1 of the AlexNet paper say: the shorter side scaled to 256, a random window of 224
of the middle square, mirrored half of the time, colour noise, the mean subtracted, 128 a batch.
"""

import dataclasses
import io
import os
import pathlib
import tempfile
import time

import numpy as np

from benchmarks import measure

PROG = "python -m benchmarks.input_pipeline"
SIZE, LOADED = 224, 256  # pixels


def parser():
    parser = measure.parser(
        PROG, "JPEG files to training batches, pictures a second of one core, against PIL and NumPy."
    )
    parser.add_argument("--pictures", metavar="DIR", help="folder of .jpg or .JPEG files (default: 500 made here)")
    parser.add_argument("--made", type=measure.positive_int, default=500, metavar="N", help="how many are made")
    parser.add_argument("--batch", type=measure.positive_int, default=128, metavar="N", help="default: %(default)s")
    parser.add_argument("--batches", type=measure.positive_int, default=8, metavar="N", help="a side and round")
    return parser


def make_pictures(folder, count):
    """JPEG files of 500×375, about ImageNet's average, with structure at all scales as photographs have."""
    from PIL import Image

    random = np.random.default_rng(0)
    for number in range(count):
        pixels = np.zeros((375, 500, 3))
        for cell in (4, 16, 64, 256):
            coarse = random.normal(size=(375 // cell + 2, 500 // cell + 2, 3)) * cell**0.6
            planes = [
                np.asarray(
                    Image.fromarray(coarse[..., c].astype("float32")).resize((500, 375), Image.Resampling.BICUBIC)
                )
                for c in range(3)
            ]
            pixels += 3 * np.stack(planes, axis=-1)
        picture = Image.fromarray(np.clip(pixels + 120, 0, 255).astype(np.uint8))
        picture.save(pathlib.Path(folder, f"{number}.jpg"), quality=92)


def ours(paths, batch):
    """The batches that ``train.alexnet --recipe modern`` reads, and the colours' components that it finds."""
    from keras_classics import alexnet, datasets
    from train import recipes
    from train.engine import batches

    split = datasets.Split(np.array(paths), np.zeros(len(paths), np.int64))
    dataset = datasets.Dataset("pictures", "files", (), split, split, split)
    recipe = dataclasses.replace(recipes.ALEXNET["modern"], batch_size=batch)
    made = batches.Batches(dataset, recipe, preprocessing=alexnet.VARIANTS["paper"].preprocessing, size=SIZE)
    return iter(made.training()), made.statistics().components


def with_pil(paths, batch, components):
    """The same by PIL and NumPy, one picture after another."""
    from PIL import Image

    from keras_classics import alexnet

    random = np.random.default_rng(0)
    mean = np.array(alexnet.VARIANTS["paper"].preprocessing.mean, "float32")
    while True:
        images = np.empty((batch, SIZE, SIZE, 3), "float32")
        for row in range(batch):
            content = pathlib.Path(paths[random.integers(len(paths))]).read_bytes()
            picture = Image.open(io.BytesIO(content)).convert("RGB")
            scale = LOADED / min(picture.size)
            if scale != 1:
                picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BILINEAR)
            left, top = ((side - LOADED) // 2 + random.integers(LOADED - SIZE + 1) for side in picture.size)
            pixels = np.asarray(picture.crop((left, top, left + SIZE, top + SIZE)), "float32")
            if random.random() < 0.5:
                pixels = pixels[:, ::-1]
            amounts = 0.1 * random.normal(size=3).astype("float32")
            images[row] = pixels + (amounts @ components - mean)
        yield images


def rows(args):
    from keras_classics.datasets import disk_cache
    from keras_classics.errors import InputError

    # One core for both, before TensorFlow counts them.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from keras_classics.runtime import start_tensorflow

    start_tensorflow()
    with tempfile.TemporaryDirectory() as made:
        if not args.pictures:
            make_pictures(made, args.made)
        folder = pathlib.Path(args.pictures or made)
        paths = sorted(str(path) for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
        if not paths:
            raise InputError(f"there are no .jpg files in {folder}.")
        os.environ[disk_cache.CACHE_DIR_VARIABLE] = made  # nothing of this is wanted later
        batches, components = ours(paths, args.batch)
        peer = with_pil(paths, args.batch, components)

        def side_of(batches):
            def run():
                start = time.perf_counter()
                for _ in range(args.batches):
                    next(batches)
                return args.batches * args.batch / (time.perf_counter() - start)

            return run

        # More than is read ahead, so that a round does not take what another one made.
        for _ in range(3):
            next(batches)
        next(peer)
        sides = {"ours": side_of(batches), "PIL and NumPy": side_of(peer)}
        size = sum(pathlib.Path(path).stat().st_size for path in paths) / len(paths) / 1e3
        what = "files of --pictures" if args.pictures else "files made here, 500×375"
        note = f"{len(paths)} {what}, {size:.0f} kB on average; the process has one core"
        name = f"JPEG files to batches of {args.batch}, one core"
        return [measure.compare(name, sides, unit="images/s", rounds=args.rounds, note=note)]


def main(argv=None):
    args = parser().parse_args(argv)
    measure.cli.run(lambda: measure.report(args, rows(args)), PROG)


if __name__ == "__main__":
    main()
