"""Pictures of class folders → training, validation and test, by a hash of each path; copies stay on one side."""

import collections
import hashlib
import os
import pathlib
import sys

import numpy as np

TEST, VALIDATION, TRAIN = 0, 1, 2
LEAST = 3  # pictures a class, to have one in each split
_COMPARED = 100_000  # pictures; more are not searched for copies


def divide(paths, labels, root):
    """Where each picture goes: an array of ``TEST``, ``VALIDATION`` and ``TRAIN``.

    A tenth each tests and validates, by a hash of the path below ``root``, so that adding pictures moves none. A class
    of three pictures or more has one at least in each split (the lowest hashes are taken); one of two trains and tests;
    one of one trains. Copies of a picture (the same bytes) go with the one of the lowest hash, unless a class has fewer
    than three that differ.
    """
    keys = _keys(paths, root)
    groups = copies(paths)
    first = {}
    for key, group in zip(keys, groups, strict=True):
        first[group] = min(key, first.get(group, key))
    classes = collections.defaultdict(set)
    for label, group in zip(labels, groups, strict=True):
        classes[group].add(label)
    parts = np.full(len(paths), TRAIN)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        own = {groups[row] for row in members if len(classes[groups[row]]) == 1}
        if len(own) < LEAST:  # too few that differ
            ranked = sorted(members, key=lambda row: keys[row])
            parts[ranked] = _parts([keys[row] for row in ranked])
            continue
        ranked = sorted(own, key=first.get)
        part_of = dict(zip(ranked, _parts([first[group] for group in ranked]), strict=True))
        for row in members:  # a picture that several classes have goes where its hash says, in all of them
            parts[row] = part_of.get(groups[row], min(first[groups[row]][0], TRAIN))
    _tell(paths, parts, groups, classes)
    return parts


def apart(paths, labels, parts):
    """Which pictures of ready-made splits to keep: not those in training, or validation, that a later split has too.

    Of a class that would be left with none all are kept.
    """
    groups = copies(paths)
    lowest = {}
    for group, part in zip(groups, parts, strict=True):
        lowest[group] = min(part, lowest.get(group, part))
    keep = np.array([part == lowest[group] for group, part in zip(groups, parts, strict=True)])
    for label in np.unique(labels):
        for part in (TRAIN, VALIDATION):
            own = (labels == label) & (parts == part)
            if not keep[own].any():
                keep[own] = True
    if count := int((~keep).sum()):
        such = paths[np.flatnonzero(~keep)[0]]
        _say(f"{_pictures(count)} left out of training or validation: copies of others in test or validation", such)
    both = [row for row in np.flatnonzero(keep) if parts[row] != lowest[groups[row]]]
    if both:
        _say(
            f"{_pictures(len(both))} of training or validation also in test, so that its result flatters",
            paths[both[0]],
        )
    return keep


def copies(paths):
    """A number for each picture, the same for files of the same bytes."""
    groups = np.arange(len(paths))
    if len(paths) > _COMPARED:
        print(f"More than {_COMPARED:,} pictures: not searched for copies.", file=sys.stderr, flush=True)
        return groups
    sizes = collections.defaultdict(list)
    for row, path in enumerate(paths):
        sizes[_size(path)].append(row)
    for size, rows in sizes.items():
        if len(rows) > 1 and size:  # unreadable and empty files do not count as copies
            seen = {}
            for row in rows:
                groups[row] = seen.setdefault(_digest(paths[row]), row)
    return groups


def _keys(paths, root):
    """``(tenth, number)`` of each picture by a hash of its path below ``root``: tenth 0 tests, 1 validates."""
    below = len(os.path.join(root, "x")) - 1  # noqa: PTH118
    hashes = (hashlib.sha256(path[below:].replace(os.sep, "/").encode()).digest() for path in paths)
    numbers = (int.from_bytes(digest[:4], "big") for digest in hashes)
    return [(number % 10, number) for number in numbers]


def _parts(keys):
    """Where pictures of one class go, by their keys in ascending order."""
    count = len(keys)
    if count < LEAST:
        return [TEST, TRAIN][-count:]
    tests = sum(tenth == 0 for tenth, _ in keys)
    validates = sum(tenth <= 1 for tenth, _ in keys)
    tests = min(max(1, tests), count - 2)
    validates = min(max(tests + 1, validates), count - 1)
    return [TEST] * tests + [VALIDATION] * (validates - tests) + [TRAIN] * (count - validates)


def _tell(paths, parts, groups, classes):
    members = collections.defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    several = [rows for rows in members.values() if len(rows) > 1]
    if not several:
        return
    count = sum(len(rows) - 1 for rows in several)
    _say(f"{_pictures(count)} copies of others; they go into the same split", paths[several[0][1]])
    torn = [rows for rows in several if len(classes[groups[rows[0]]]) > 1]
    if torn:
        _say(f"{_pictures(sum(map(len, torn)))} in more than one class", paths[torn[0][0]])
    across = [rows for rows in several if len(set(parts[rows])) > 1]
    if across:
        _say(
            f"{_pictures(sum(map(len, across)))} in several splits all the same: their classes have fewer than {LEAST} "
            "pictures that differ, and the result flatters",
            paths[across[0][0]],
        )


def _pictures(count):
    return f"{count:,} picture{' is' if count == 1 else 's are'}"


def _say(text, path):
    print(f"{text} (such as {path}).", file=sys.stderr, flush=True)


def _size(path):
    try:
        return pathlib.Path(path).stat().st_size
    except OSError:
        return 0


def _digest(path):
    try:
        return hashlib.sha256(pathlib.Path(path).read_bytes()).digest()
    except OSError:
        return path
