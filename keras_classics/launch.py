"""Our modules run as ``python -m`` runs them, but never others of the same name that lie in the way.

Run as a file (``python keras_classics/launch.py train.lenet …``) this starts the children of ``children.module``. With
``python -m train.lenet`` a ``train.py`` in the working directory would come first.
"""

import sys

_PACKAGES = ("keras_classics", "train", "export")


def forget_first_folder():
    """Take off the path of modules what Python puts before it: the working directory, or that of the file it runs."""
    if not getattr(sys.flags, "safe_path", False):  # Python 3.11 has an option against it
        del sys.path[0]


def run(module, arguments):
    """Run ``module``, of ours, with these command-line arguments; it ends the process.

    The packages are loaded from beside this file before anything searches for them.
    """
    import importlib.util
    import pathlib
    import runpy

    root = pathlib.Path(__file__).absolute().parent.parent
    for package in _PACKAGES:
        if package not in sys.modules:
            spec = importlib.util.spec_from_file_location(package, root / package / "__init__.py")
            sys.modules[package] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[package])
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    forget_first_folder()
    run(sys.argv[1], sys.argv[2:])
