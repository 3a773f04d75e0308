"""What commands do when they write, without TensorFlow: ``python -m tests.hostile.writers COMMAND FOLDER``."""

import pathlib
import sys

from export import c, demo
from keras_classics import cli


def write_sources(out):
    """What ``export.c`` does with the sources of a model."""
    texts = {f"{name}/network.{end}": f"// {name}\n" * 2_000 for name in ("src", "include") for end in "ch"}
    cli.run(lambda: c.write(texts, out), c.PROG)


def write_page(out):
    demo.main([str(out.parent / "model.tflite"), "--out", str(out / "page.html")])


WRITERS = {"export.c": write_sources, "export.demo": write_page}


if __name__ == "__main__":
    WRITERS[sys.argv[1]](pathlib.Path(sys.argv[2]))
