"""Models for the page, pages made of them, and a browser that shows them."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from export.page import page, steps
from tests import needs

BROWSERS = "chromium|chromium-browser|google-chrome"
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@pytest.fixture(scope="session")
def tflite(embedded):
    """``tflite("relu", "int8")``: the packaged LeNet-5 of that activation (or "1998") as a ``.tflite``, bytes."""
    from export.convert import quantize
    from export.inputs import networks
    from export.litert import metadata
    from keras_classics import LeNet5, lenet

    made = {}

    def make(kind, mode):
        if (kind, mode) not in made:
            network, variant = ("lenet5-1998", "1998") if kind == "1998" else ("lenet5", "modern")
            activation = None if kind == "1998" else kind
            model = LeNet5(weights="mnist", variant=variant, activation=activation)
            content = quantize.convert(model, lenet.PREPROCESSING, mode, embedded.train.images[:200])
            described = {"network": networks.TITLES[network], "mode": mode, "labels": list(lenet.LABELS)}
            made[kind, mode] = metadata.embed(content, described)
        return made[kind, mode]

    return make


@pytest.fixture(scope="session")
def page_of(tmp_path_factory):
    """``page_of(model)``: the page of a ``.tflite`` (bytes), as a file."""
    folder = tmp_path_factory.mktemp("pages")

    def write(model):
        file = folder / f"{abs(hash(model))}.html"
        if not file.exists():
            file.write_text(page.assembled(*steps.read(model, "the model")), encoding="utf-8")
        return file

    return write


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needs.tool(BROWSERS), args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def shown(browser, page_of):
    """``shown(model, width=…, …)``: the page of a model in the browser; its faults and requests are kept with it."""
    contexts = []

    def show(model, *, width=1180, height=900, **settings):
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **settings)
        contexts.append(context)
        page = context.new_page()
        page.faults, page.requests = [], []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(page_of(model).as_uri())
        while not page.evaluate("Boolean(globalThis.lenet5)"):  # the weights are being unpacked
            page.wait_for_timeout(10)
        return page

    yield show
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def answers():
    """``answers(page, pictures)``: of each picture file (bytes) ``(field, probabilities, lines)`` by the page."""
    program = """async (files) => {
      const { network, pictureFrom, readDigit, readPicture } = globalThis.lenet5, found = [];
      for (const file of files) {
        const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
        const picture = await pictureFrom(new Blob([bytes])), digit = readDigit(network, picture);
        const lines = readPicture(network, picture).map((line) => line.map((each) => [...each.probabilities]));
        found.push([digit && [...digit.field], digit && [...digit.probabilities], lines]);
      }
      return JSON.stringify(found);
    }"""

    def read(page, pictures):
        found = json.loads(page.evaluate(program, [base64.b64encode(picture).decode() for picture in pictures]))
        return [
            (field and np.reshape(np.uint8(field), (32, 32)), probabilities and np.float32(probabilities), lines)
            for field, probabilities, lines in found
        ]

    return read


def png(pixels):
    """The bytes of a PNG file of ``uint8 (height, width[, channels])``."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
