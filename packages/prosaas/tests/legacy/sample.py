"""What the rows of the legacy database are made with: one seeded source, and who belongs to whom."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from . import words

BUSINESSES = 120
LEADS = 600
START = datetime(2024, 3, 3, 6, 0)

Table = tuple[str, str, list[tuple[Any, ...]]]
"""A table's name, its columns as one text, its rows."""

rng = random.Random(20250819)


class Json:
    """A value for a jsonb column."""

    def __init__(self, value: Any) -> None:
        self.value = value


def at(number: int, *, step: int = 95) -> datetime:
    """A time of its own for the row with this number."""
    return START + timedelta(minutes=number * step, seconds=number * 7 % 60)


def maybe(value: Any, share: float) -> Any:
    """The value for this share of the rows, else nothing."""
    return value if rng.random() < share else None


def pick(values: Any) -> Any:
    """One of them."""
    return values[rng.randrange(len(values))]


def hexadecimal(length: int) -> str:
    """A random hexadecimal number."""
    return f"{rng.getrandbits(length * 4):0{length}x}"


def phone(number: int) -> str:
    """An Israeli mobile number in E.164, a different one for each number."""
    return f"+9725{number % 9}{3_000_000 + number * 7919 % 6_999_983}"


def person() -> tuple[str, str]:
    """First and last name."""
    return pick(words.FIRST_NAMES), pick(words.LAST_NAMES)


def business_of(lead: int) -> int:
    """Lead 1 is of business 1, lead 2 of business 2, and round again: everyone has five."""
    return (lead - 1) % BUSINESSES + 1


def lead_of(business: int, number: int) -> int:
    """One of the business's leads."""
    return business + BUSINESSES * (number % (LEADS // BUSINESSES))


def user_of(business: int, number: int = 0) -> int:
    """One of the business's two users."""
    return business * 2 - number % 2
