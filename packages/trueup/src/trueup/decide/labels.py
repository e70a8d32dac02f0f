"""Labels of an enum that stand here in another order than the chain's, as the later of two was added by hand first.

To rename a label writes no row. So where no row has those that stand in each other's places, and no definition names
them, they take each other's names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trueup.catalog import enums
from trueup.catalog.keys import identity_of, kind_of, parts, table_of
from trueup.chain.model import Facts
from trueup.decide.trajectory import Trajectories


class Reordered(NamedTuple):
    """An enum's fact, and its labels as they are here and as they will be, in order and quoted."""

    enum: str
    found: tuple[str, ...]
    wanted: tuple[str, ...]

    @property
    def moved(self) -> list[tuple[str, str]]:
        """The labels that change, with those that stand in their places then."""
        return [pair for pair in zip(self.found, self.wanted, strict=True) if pair[0] != pair[1]]

    @property
    def statements(self) -> tuple[str, ...]:
        """Two labels cannot have one name for a moment, so they pass through others."""
        start = f"ALTER TYPE {identity_of(self.enum)} RENAME VALUE"
        aside = [(was, f"'trueup {place}'", now) for place, (was, now) in enumerate(self.moved)]
        return (
            *(f"{start} {was} TO {between}" for was, between, _ in aside),
            *(f"{start} {between} TO {now}" for _, between, now in aside),
        )


def in_order(
    live: Mapping[str, str], paths: Trajectories, rows: Mapping[str, bool]
) -> tuple[Facts, list[Reordered], set[str]]:
    """The facts with the labels in the chain's order where that can be had, what it takes, and what to ask for it.

    Args:
        live: The facts of the database.
        paths: The chain's.
        rows: Queries about rows that were asked, with their answers.
    """
    facts, done, asked = dict(live), list[Reordered](), set[str]()
    for one in _in_another_order(live, paths):
        question = _no_row_has(one, live)
        if not question or _is_named(one, live):
            continue
        asked.add(question)
        if rows.get(question):
            done.append(one)
            facts[one.enum] = ", ".join(one.wanted)
    return facts, done, asked


def has_early(key: str, found: str | None, index: int, paths: Trajectories) -> bool:
    """True for an enum as it is before a step, but for labels that only later steps add."""
    was = paths.value_at(key, index) if key.startswith("enum ") else None
    if was is None or found is None or not enums.has_all(found, was):
        return False
    later = {label for place, value in paths.of[key] if place > index and value for label in enums.labels(value)}
    return {*enums.labels(found)} <= later | {*enums.labels(was)}


def _in_another_order(live: Mapping[str, str], paths: Trajectories) -> Iterator[Reordered]:
    for key, value in live.items():
        if not key.startswith("enum ") or key not in paths.of:
            continue
        lists = [listed for _, listed in paths.of[key] if listed and enums.has_all(listed, value)]
        if lists and not any(enums.is_part_of(value, listed) for listed in lists):
            found = enums.labels(value)
            order = enums.labels(lists[-1])
            yield Reordered(key, tuple(found), tuple(sorted(found, key=order.index)))


def _no_row_has(one: Reordered, live: Mapping[str, str]) -> str:
    """The question whether no row has one of the labels; empty where another type is made of the enum."""
    type_, labels = identity_of(one.enum), ", ".join(was for was, _ in one.moved)
    found = []
    for key, value in live.items():
        if kind_of(key) not in ("column", "type", "domain") or type_ not in value:
            continue
        column, table = parts(identity_of(key))[-1], table_of(key)
        if kind_of(key) == "column" and value == type_:
            found.append(f"NOT EXISTS (SELECT FROM {table} WHERE {column}::text IN ({labels}))")
        elif kind_of(key) == "column" and value == f"{type_}[]":
            found.append(f"NOT EXISTS (SELECT FROM {table} WHERE {column}::text[] && ARRAY[{labels}])")
        else:
            return ""
    return f"SELECT {' AND '.join(found) or 'true'}"


def _is_named(one: Reordered, live: Mapping[str, str]) -> bool:
    """True where a definition names one of the labels: it would come to mean another."""
    named = [f"{was}::{identity_of(one.enum)}" for was, _ in one.moved]
    return any(text in value for value in live.values() for text in named)
