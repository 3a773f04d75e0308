"""The parts of the page → one HTML file: script, style, constants, network, weights, and the policy that binds it."""

import base64
import hashlib
import html
import json
import pathlib
import re
import zlib

import keras_classics
from keras_classics.datasets import decoding
from keras_classics.recognition import explain, field, ink, lines, paper, parts, recognizer

SCRIPTS = (
    "network",
    "planes",
    "paper",
    "ink",
    "parts",
    "lines",
    "reading",
    "strokes",
    "words",
    "show",
    "app",
)  # in the order they need each other
_HERE = pathlib.Path(__file__).parent


def assembled(network, weights):
    """The page, as text.

    Args:
        network: of ``steps.read``.
        weights: of it.
    """
    script, style = script_text(), _text("style.css")
    policy = {
        "default-src": "'none'",
        "script-src": _hash_of(script),
        "style-src": _hash_of(style),
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    contents = {
        "policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "generator": html.escape(f"keras-classics {keras_classics.__version__}"),
        "style": style,
        "script": script,
        # "<" could end the element that holds the text.
        "network": json.dumps(network, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        "weights": base64.b64encode(_deflated(weights)).decode(),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: contents[place[1]], _text("page.html"))


def script_text():
    """The script, a module: the constants of the Python modules that it follows, and its files."""
    modules = (explain, field, ink, lines, paper, parts, recognizer)
    given = {module.__name__.rpartition(".")[2].upper(): _constants(module) for module in modules}
    given["DECODING"] = {"SOLID": decoding._SOLID, "OWN_GROUND": decoding._OWN_GROUND}
    first = [f"const {name} = {json.dumps(values)};" for name, values in given.items()]
    return "\n".join([*first, *(_text(f"{name}.js") for name in SCRIPTS)])


def _constants(module):
    """The public numbers of a module."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, (int, float, str, tuple))
    }


def _deflated(content):
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)  # "deflate-raw", as browsers call it
    return packer.compress(content) + packer.flush()


def _hash_of(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(name):
    return (_HERE / name).read_text(encoding="utf-8")
