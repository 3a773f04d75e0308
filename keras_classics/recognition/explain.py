"""How an answer came about, as one picture: the picture, its ink, the field, and what of it spoke for the answer."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_classics.recognition.images import pixels_of

PATCH = 5  # pixels of the field that are wiped out at a time
PANEL = 256  # pixels of a side
_CAPTION = 22  # pixels
_BOX = (230, 60, 40)


def occlusion(recognizer, field, label):
    """How much less probable ``label`` is when a part of the field is wiped out: ``float32 (height, width)``, -1 to 1.

    Each pixel has the mean over the patches of 5×5 pixels that cover it (Zeiler and Fergus, 2014, section 4.2).

    Args:
        recognizer: a ``Recognizer``.
        field: ``uint8 (height, width, 1)``, as the network takes it.
        label: one of the recognizer's labels.
    """
    index = recognizer.labels.index(label)
    before = recognizer.classifier.probabilities(field[None])[0, index]
    height, width = (side - PATCH + 1 for side in field.shape[:2])
    wiped = np.repeat(field[None], height * width, axis=0)
    for place in range(height * width):
        row, column = divmod(place, width)
        wiped[place, row : row + PATCH, column : column + PATCH] = 0
    lost = before - recognizer.classifier.probabilities(wiped)[:, index].reshape(height, width)
    total, count = np.zeros(field.shape[:2], np.float32), np.zeros(field.shape[:2], np.float32)
    for row in range(PATCH):
        for column in range(PATCH):
            total[row : row + height, column : column + width] += lost
            count[row : row + height, column : column + width] += 1
    return total / count


def explained(recognizer, image, *, name=None):
    """The steps from a picture of one digit to its answer, side by side: a Pillow image, RGB."""
    from keras_classics.recognition.ink import ink_of
    from keras_classics.recognition.parts import parts_of

    pixels = pixels_of(image, name=name)
    found = recognizer.field(image, name=name)
    answer = recognizer.answer(found)
    ink = ink_of(pixels)
    strength = _grey(255 * (1 - np.clip(ink.strength / (2 * (ink.threshold or 0.5)), 0, 1)))
    mask = np.isin((parts := parts_of(ink)).labels, [part.label for part in parts.parts])
    panels = [
        ("the picture", _boxed(Image.fromarray(pixels), answer.box)),
        ("ink, light divided out", strength),
        ("what may be writing", _grey(np.where(mask, 0, 255))),
    ]
    if found is not None:
        field = found[0][..., 0]
        spoke = occlusion(recognizer, found[0], answer.top[0][0])
        panels += [
            ("what the network takes", _grey(field)),
            ("red spoke for it, blue against", _coloured(field, spoke)),
        ]
    return _side_by_side(panels, _sentence(answer))


def _sentence(answer):
    if not answer.top:
        return "no ink found: ?"
    best = ", ".join(f"{label} {probability:.1%}" for label, probability in answer.top[:3])
    return f"answer {answer.label}: {best}"


def _grey(values):
    return Image.fromarray(np.asarray(values, np.uint8)).convert("RGB")


def _boxed(picture, box):
    if box is not None:
        width = max(1, round(max(picture.size) / 200))
        ImageDraw.Draw(picture).rectangle([(box[0], box[1]), (box[2] - 1, box[3] - 1)], outline=_BOX, width=width)
    return picture


def _coloured(field, spoke):
    """The field in grey; red where it spoke for the answer, blue where it spoke against it."""
    strongest = max(float(np.abs(spoke).max()), 1e-6)
    share = spoke / strongest
    base = field.astype(np.float32) * 0.6
    red, blue = (np.clip(base + 255 * np.clip(sign * share, 0, 1), 0, 255) for sign in (1, -1))
    return Image.fromarray(np.stack([red, base, blue], axis=-1).astype(np.uint8))


def _side_by_side(panels, sentence):
    font = ImageFont.load_default(14)
    page = Image.new("RGB", (len(panels) * (PANEL + 8) + 8, PANEL + 3 * _CAPTION), "white")
    draw = ImageDraw.Draw(page)
    for number, (caption, picture) in enumerate(panels):
        scale = PANEL / max(picture.size)
        size = [max(1, round(side * scale)) for side in picture.size]
        kind = Image.Resampling.NEAREST if scale > 2 else Image.Resampling.BOX
        left = 8 + number * (PANEL + 8)
        page.paste(picture.resize(size, kind), (left, _CAPTION + (PANEL - size[1]) // 2))
        draw.text((left, 3), caption, "black", font)
    draw.text((8, PANEL + _CAPTION + 12), sentence, "black", font)
    return page
