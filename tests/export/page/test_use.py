"""Using the page: mouse, keyboard, files; small screens, dark, Chinese; nothing leaves it."""

import re
import time

import numpy as np
import pytest

from tests.export.page.conftest import BROWSERS, png

pytestmark = [pytest.mark.needs_extras("playwright"), pytest.mark.needs_tools(BROWSERS)]

SHADES = """document.querySelector("#C3 canvas").getContext("2d").getImageData(0, 0, 10, 10).data"""
UNNAMED = """[...document.querySelectorAll("button, canvas[tabindex], [role=img], ol")]
  .filter((element) => !(element.ariaLabel || element.innerText)).length"""
GIVEN = """([bytes, event, kind, holder]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "two.png", { type: "image/png" }));
  const settings = { [holder]: transfer, bubbles: true, cancelable: true };
  document.dispatchEvent(new globalThis[kind](event, settings));
}"""
CONTRAST = """() => {
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const luminance = (text) => {
    const [red, green, blue] = text.match(/[\\d.]+/g).map((part) => linear(part / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const card = luminance(getComputedStyle(document.querySelector("section")).backgroundColor);
  return [...document.querySelectorAll("h2, figcaption, #sure, #bars b, #bars span, #undo")].map((element) => {
    const own = luminance(getComputedStyle(element).color);
    return (Math.max(own, card) + 0.05) / (Math.min(own, card) + 0.05);
  });
}"""
THREE = [(0.38, 0.28), (0.5, 0.18), (0.62, 0.3), (0.48, 0.46), (0.64, 0.62), (0.5, 0.8), (0.36, 0.72)]
ONE = [(0.1, 0.15), (0.1, 0.85)]


def draw(page, points, *, right=0.0):
    """Draw a stroke with the mouse; points in units of the pad's height, from its left."""
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + (x + right) * box["height"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def number(page):
    """What the page has read, once it has drawn what came last."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return "".join(page.locator("#number button").all_inner_texts())


def until(page, condition, seconds=20):
    """Wait for an expression to be true; Playwright's own waiting evaluates text, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


@pytest.fixture
def page(shown, tflite):
    return shown(tflite("relu", "int8"))


def test_a_digit_is_read_while_it_is_drawn_and_the_drawing_can_be_taken_back(page):
    assert page.get_by_role("button", name="Undo").is_disabled()
    draw(page, THREE)
    assert number(page) == "3"
    bars = [
        float(page.locator("#bars i").nth(label).evaluate("bar => bar.style.getPropertyValue('--share')"))
        for label in range(10)
    ]
    assert np.argmax(bars) == 3
    assert sum(bars) == pytest.approx(1, abs=0.02)
    page.get_by_role("button", name="Clear").click()
    assert number(page) == ""
    page.get_by_role("button", name="Undo").click()
    assert number(page) == "3"
    page.keyboard.press("Control+z")
    assert number(page) == ""
    assert page.faults == []


def test_several_digits_are_a_number_of_which_each_can_be_looked_into(page):
    draw(page, ONE)
    draw(page, THREE, right=0.2)
    draw(page, ONE, right=1.1)
    assert number(page) == "131"
    field = "globalThis.lenet5.view.reading.flat()[globalThis.lenet5.view.chosen].field.join()"
    last = page.evaluate(field)
    page.get_by_role("button", name=re.compile("digit 2 of 3: 3")).click()
    assert page.evaluate(field) != last
    assert page.get_by_role("button", name=re.compile("digit 2")).get_attribute("aria-pressed") == "true"


def test_the_maps_of_the_network_are_shown_as_they_are_computed(page):
    draw(page, THREE)
    number(page)
    count = {layer: page.locator(f"#{layer} canvas").count() for layer in ("field", "C1", "C3", "F6")}
    assert count == {"field": 1, "C1": 6, "C3": 16, "F6": 1}
    sizes = page.evaluate("['field', 'C1', 'C3', 'F6'].map((id) => document.querySelector(`#${id} canvas`).width)")
    assert sizes == [32, 28, 10, 7]
    assert len(set(page.evaluate(f"[...{SHADES}]"))) > 10


def test_why_finds_the_stroke_that_decides(page):
    """A 1 whose upper end is covered is still a 1; where nothing is drawn, nothing speaks for it."""
    draw(page, THREE)
    number(page)
    page.get_by_role("button", name="Why?").click()
    until(page, "globalThis.lenet5.view.why?.map")
    falls = np.reshape(page.evaluate("[...globalThis.lenet5.view.why.map.values]"), (32, 32))
    field = np.reshape(page.evaluate("[...globalThis.lenet5.view.why.digit.field]"), (32, 32))
    assert np.abs(falls[:3]).max() == 0
    assert field[np.unravel_index(falls.argmax(), falls.shape)] > 0 or falls.max() < 0.01
    assert page.locator("#reason").is_visible()


def test_it_can_be_used_by_keyboard_alone(page):
    pad = page.get_by_role("application", name="Drawing pad")
    pad.focus()
    for key in ("ArrowUp",) * 8 + (" ",) + ("ArrowDown",) * 16 + (" ",):
        pad.press(key)
    assert number(page) == "1"
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel"))
    assert reached[:5] == ["Undo", "Clear", "Picture", "Camera", "Example"]
    page.keyboard.press("Escape")
    assert number(page) == ""


def test_a_screen_reader_is_told_the_answer_once_the_hand_rests(page):
    draw(page, THREE)
    status = page.get_by_role("status")
    until(page, "document.querySelector('#spoken').textContent.startsWith('Read: 3')")
    assert status.get_attribute("aria-live") == "polite"
    assert page.evaluate(UNNAMED) == 0


def test_a_picture_is_chosen_dropped_or_pasted(page, embedded):
    digit = np.kron(255 - embedded.test.images[embedded.test.labels == 2][0][..., 0], np.ones((4, 4), np.uint8))
    file = {"name": "two.png", "mimeType": "image/png", "buffer": png(digit)}
    page.locator("#file").set_input_files(file)
    until(page, "document.querySelector('#number').innerText === '2'")
    assert page.locator("#camera").get_attribute("capture") == "environment"
    for event, kind, holder in (("drop", "DragEvent", "dataTransfer"), ("paste", "ClipboardEvent", "clipboardData")):
        page.get_by_role("button", name="Clear").click()
        assert number(page) == ""
        page.evaluate(GIVEN, [list(file["buffer"]), event, kind, holder])
        until(page, "document.querySelector('#number').innerText === '2'")
    page.locator("#file").set_input_files({**file, "buffer": b"no picture"})
    until(page, "document.querySelector('#sure').innerText.includes('not a picture')")


@pytest.mark.parametrize(("width", "height"), [(360, 640), (360, 800), (1180, 900)])
def test_nothing_is_wider_than_the_screen(shown, tflite, width, height):
    page = shown(tflite("relu", "int8"), width=width, height=height)
    page.get_by_role("button", name="Example").click()
    assert number(page) == "1998"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = "[...document.querySelectorAll('button')].filter((e) => e.offsetHeight < 24 || e.offsetWidth < 24).length"
    assert page.evaluate(small) == 0


def test_the_page_speaks_the_readers_language(shown, tflite):
    page = shown(tflite("relu", "int8"), locale="zh-CN")
    assert page.get_by_role("button", name="清空").count() == 1
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_role("button", name="English").click()
    assert page.get_by_role("button", name="Clear").count() == 1
    words = page.evaluate("[...document.querySelectorAll('[data-word]')].map((e) => e.textContent)")
    assert all(words)
    assert not re.search(r"[一-鿿]", "".join(words))


def test_dark_and_light_are_far_from_their_ground(shown, tflite):
    """WCAG asks for a contrast of 4.5 of text to its ground."""
    grounds = []
    for scheme in ("light", "dark"):
        page = shown(tflite("relu", "int8"), color_scheme=scheme)
        assert min(page.evaluate(CONTRAST)) >= 4.5
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


def test_no_request_leaves_the_page(page, embedded):
    draw(page, THREE)
    page.get_by_role("button", name="Example").click()
    page.locator("#file").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": png(embedded.test.images[0][..., 0])}
    )
    until(page, "globalThis.lenet5.state.picture")
    number(page)
    assert [url for url in page.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    refused = "fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)"
    assert page.evaluate(refused) == "TypeError"
    assert any("Content Security Policy" in fault for fault in page.faults)
