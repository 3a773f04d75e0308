"""Folders called like splits ("train", "Test", "validation_set"): what each is for, and whether they fit together."""

import re

from keras_classics.errors import InputError

_TRAIN, _VALIDATION, _TEST, _EVALUATION = "train", "validation", "test", "evaluation"
_WORDS = {
    **dict.fromkeys(("train", "training", "trn", "trainval"), _TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "devel", "development"), _VALIDATION),
    **dict.fromkeys(("test", "testing", "tests", "tst", "holdout", "heldout"), _TEST),
    **{"训练": _TRAIN, "验证": _VALIDATION, "测试": _TEST},
    **dict.fromkeys(("eval", "evaluation"), _EVALUATION),  # validates beside a test split, else tests
}
_OF_DATA = {"set", "sets", "data", "dataset", "split", "folder", "dir", "images", "image", "imgs", "img", "集"}
_OF_DATA |= {"pictures", "photos", "samples", "examples", "files"}
_MORE = {"old", "new", "copy", "backup", "final", "small", "large", "full", "subset", "extra", "more", "part"}
_ALSO_CLASSES = {"train", "valid"}  # vehicles; parts that are valid and invalid

EXPECTED = (
    "expected class folders alone, or a folder train and beside it val or test or both, each with the same class "
    "folders in it. Classes that are called like a split go, with all others, into one folder train by themselves"
)


def role_of(name):
    """``(role, rest)`` of a folder that is called like a split; None for other names.

    The role is "train", "validation", "test" or "evaluation". The rest, which says that a name is no usual spelling, is
    a list of words: empty for "Train", "training_set" and "testImages", ["1"] for "test1".
    """
    words = _words(name)
    if words[:2] in (["hold", "out"], ["held", "out"]):
        words = ["".join(words[:2]), *words[2:]]
    ends = ("", *sorted(_OF_DATA))
    role = next((_WORDS[stem] for end in ends if words and (stem := words[0].removesuffix(end)) in _WORDS), None)
    rest = [word for word in words[1:] if word not in _OF_DATA]
    if role and all(word in _MORE or word.isdigit() or len(word) == 1 for word in rest):
        return role, rest
    return None


def roles(names):
    """``{name: (role, rest)}`` of the folders called like splits; "mnist_train" and "mnist_test" together are too."""
    found = {name: role for name in names if (role := role_of(name))}
    ends = {}
    for name in set(names) - set(found):
        *start, last = _words(name) or [""]
        if start and last in _WORDS:
            ends.setdefault(tuple(start), {})[name] = (_WORDS[last], list(start))
    for pair in ends.values():
        if _TRAIN in (kinds := {role for role, _ in pair.values()}) and len(kinds) > 1:
            found |= pair
    return found


def arranged(found, has_classes, others, root):
    """``{"train": name, …}`` of the splits in a folder; {} where its folders are classes.

    A folder train that holds pictures itself, beside folders that are not called like splits, is a class (as is
    "valid"). A folder train alone stands for the whole.

    Args:
        found: what ``roles`` found, of folders with pictures.
        has_classes: which of them hold folders of pictures, as a set of names.
        others: names of the other folders with pictures.
        root: the folder, for messages.

    Raises:
        InputError: there are folders called like splits that do not fit together.
    """
    flat = set(found) - has_classes
    if not found or (others and len(found) == 1 and flat and "".join(_words(*found)) in _ALSO_CLASSES):
        return {}
    by_role = {}
    for name, (role, _) in sorted(found.items()):
        by_role.setdefault(role, []).append(name)
    if _EVALUATION in by_role:
        spare = _VALIDATION if _TEST in by_role and _VALIDATION not in by_role else _TEST
        by_role.setdefault(spare, []).extend(by_role.pop(_EVALUATION))
    odd = [name for name, (_, rest) in found.items() if rest != next(iter(found.values()))[1]]
    odd = odd and [name for name, (_, rest) in found.items() if rest]
    twice = next((names for names in by_role.values() if len(names) > 1), None)
    if others:
        problem = f"{_quoted(others)} beside {_quoted(found)}"
    elif odd:
        problem = f"{_quoted(odd)}, which may or may not be a split"
    elif twice:
        problem = f"{_quoted(twice)}, which are the same split"
    elif _TRAIN not in by_role:
        problem = f"{_quoted(found)} and nothing to train from"
    elif flat:
        problem = f"{_quoted(flat)}, with pictures but no class folders in it"
    else:
        return {role: names[0] for role, names in by_role.items()}
    raise InputError(f"the folder {root} holds {problem}; {EXPECTED} ({root}/train/CLASS).")


def _quoted(names):
    names = sorted(names)
    shown = [repr(name) for name in names[:5]] + ([f"{len(names) - 5} more"] if len(names) > 5 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _words(name):
    """Parts of a name in lower case, divided where anything but letters stands, at digits and at capitals."""
    return [part.lower() for part in re.findall(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+", name)]
