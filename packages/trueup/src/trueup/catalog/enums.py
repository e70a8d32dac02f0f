"""Enum labels: a list that only grows, so that a later label which is there already makes no stranger of it."""

from __future__ import annotations

import re

_LABEL = re.compile(r"'(?:[^']|'')*'")


def labels(value: str) -> list[str]:
    """The quoted labels of an enum's value, in order."""
    return _LABEL.findall(value)


def is_part_of(found: str, whole: str) -> bool:
    """True where every label found is in the whole list, in the same order."""
    rest = iter(labels(whole))
    return all(label in rest for label in labels(found))


def has_all(found: str, wanted: str) -> bool:
    """True where no label that is wanted is missing."""
    return set(labels(wanted)) <= set(labels(found))


def merged(found: str, wanted: str) -> str:
    """The list found with the wanted labels in their places, as ADD VALUE … AFTER makes it."""
    result = labels(found)
    previous = -1
    for label in labels(wanted):
        if label not in result:
            result.insert(previous + 1, label)
        previous = result.index(label)
    return ", ".join(result)
