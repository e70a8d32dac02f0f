"""Words for people."""

from __future__ import annotations


def counted(number: int, name: str) -> str:
    """A number with its name: `1 step`, `2 steps`."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
