"""Values for any column type, written as SQL."""

from __future__ import annotations

import json
import random
import re

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jetty")
_DAY = 86_400
_MINUTE = 60


def literals_in(definitions: list[str]) -> list[str]:
    """String constants that check constraints mention: often the only values they take."""
    return [one for definition in definitions for one in _LITERAL.findall(definition) if one and "\\" not in one]


def value_sql(
    base: str, modifier: int, number: int, rng: random.Random, enum: list[str], *, place: int = 0
) -> str | None:
    """An SQL expression of a type, different for each `number`. None where we do not know the type.

    Args:
        base: The type's name as pg_type has it, such as `varchar`; domains as the type below them.
        modifier: atttypmod, for lengths and precision; -1 if none.
        number: The row's number.
        rng: Where chance comes from.
        enum: Labels, where the type is an enum.
        place: The column's place: in one row, a later column has a later time (a beginning comes before its end).
    """
    if enum:
        return _quoted(rng.choice(enum))
    if base.startswith("_"):
        inner = value_sql(base[1:], modifier, number, rng, [], place=place)
        return None if inner is None else f"ARRAY[{inner}]"
    if base in ("text", "varchar", "bpchar", "citext", "name"):
        return _text(base, modifier, number, rng)
    return _scalar(base, number, rng, place)


def _text(base: str, modifier: int, number: int, rng: random.Random) -> str:
    word = f"{rng.choice(_WORDS)}_{number}_{rng.randrange(16**8):08x}"
    if modifier > 4 and base in ("varchar", "bpchar"):
        word = word[-(modifier - 4) :]
    return _quoted(word)


def _scalar(base: str, number: int, rng: random.Random, place: int) -> str | None:
    seconds = number * _DAY + place * _MINUTE + rng.randrange(_MINUTE)
    moment = f"timestamptz '2024-01-01 00:00+00' + interval '{seconds} seconds'"
    octet = number % 250 + 1
    known = {
        "int2": str(number % 30_000),
        "int4": str(number),
        "int8": str(number),
        "oid": str(number),
        "numeric": f"{number % 9}",
        "float4": f"{number}.5",
        "float8": f"{number}.5",
        "money": f"{number}",
        "bool": rng.choice(["true", "false"]),
        "uuid": f"'{rng.getrandbits(128):032x}'",
        "json": _quoted(json.dumps({"n": number})),
        "jsonb": _quoted(json.dumps({"n": number})),
        "bytea": f"'\\x{rng.getrandbits(256):064x}'",
        "timestamptz": moment,
        "timestamp": f"({moment}) AT TIME ZONE 'UTC'",
        "date": f"date '2024-01-01' + {number}",
        "time": f"time '00:00' + interval '{number} minutes'",
        "timetz": f"timetz '00:00+00' + interval '{number} minutes'",
        "interval": f"interval '{number} minutes'",
        "inet": f"'10.0.0.{octet}'",
        "cidr": f"'10.0.{octet}.0/24'",
        "macaddr": f"'08:00:2b:01:02:{octet:02x}'",
        "bit": "B'1'",
        "varbit": "B'1'",
        "ltree": f"'top.n{number}'",
        "hstore": f"'n=>{number}'",
        "tsvector": f"'word{number}'",
        "xml": "'<n/>'",
        "point": f"'({number},1)'",
        "int4range": f"'[{number * 10},{number * 10 + 5})'",
        "int8range": f"'[{number * 10},{number * 10 + 5})'",
        "numrange": f"'[{number * 10},{number * 10 + 5})'",
        "tstzrange": f"tstzrange({moment}, {moment} + interval '1 hour')",
        "tsrange": f"tsrange(({moment}) AT TIME ZONE 'UTC', NULL)",
        "daterange": f"daterange(date '2024-01-01' + {number}, date '2024-01-02' + {number})",
    }
    return known.get(base)


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
