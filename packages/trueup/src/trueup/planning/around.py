"""What goes around a step, in its transaction, where later steps have been done early here.

Tables and columns get the names back that the step knows them by, and what would be in its way is set aside. When it
commits, everything is as it was; nobody else sees anything of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trueup.catalog.keys import identity_of, parts, table_of
from trueup.decide.lent import Lent, needed_by
from trueup.decide.model import Conflict
from trueup.planning.model import Action
from trueup.render.objects import drop
from trueup.render.render import render

_REFUSED_WHILE_DEFERRED = ("default ", "trigger state ")
"""Kinds that ALTER TABLE makes, which is refused as long as a deferred constraint is still to be checked."""


class Former(NamedTuple):
    """A fact that is what it was before a later step changed it: what makes it so, and what ends that."""

    key: str
    begins: tuple[str, ...]
    ends: tuple[str, ...]

    @property
    def is_function(self) -> bool:
        """A function that the step calls, or that something calls which it uses."""
        return self.key.startswith(("function ", "procedure "))


def as_it_was(key: str, was: str) -> Former:
    """A fact whose DDL is in its value; what it is by now is set aside."""
    return Former(key, tuple(_made_again({key: was})), tuple(_taken({key: was})))


def around(
    actions: list[Action], lent: Sequence[Lent], aside: Mapping[str, str], former: Sequence[Former] = ()
) -> tuple[list[Action], list[Conflict]]:
    """The actions of one step or healing with what has to go around them."""
    if not (lent or aside or former):
        return actions, []
    in_the_way = [*aside, *(one.key for one in former if not one.is_function)]
    found, conflicts = [], []
    for action in actions:
        index = -1 if action.step is None else action.step
        names = needed_by(lent, index, action.statements)
        if not (names or aside or former):
            found.append(action)
        elif action.transaction and action.backfill is None and not action.splits:
            found.append(_wrapped(action, names, aside, former))
        elif not (names or in_the_way):
            found.append(action)  # it may well work with the functions as they are
        else:
            found.append(action)
            conflicts.append(_cannot_wait(action, _name(names[0]) if names else in_the_way[0]))
    return found, conflicts


def _wrapped(action: Action, names: Sequence[Lent], aside: Mapping[str, str], former: Sequence[Former]) -> Action:
    before = [one.statement(back=True) for one in reversed(names)] + _taken(aside)
    before += [statement for one in former for statement in one.begins]
    after = [statement for one in reversed(former) for statement in one.ends]
    again = (one.statement(back=False) for one in names if one.index != action.step)  # else it does that itself
    after += [*_made_again(aside), *again]
    if any(key.startswith(_REFUSED_WHILE_DEFERRED) for key in (*aside, *(one.key for one in former))):
        after.insert(0, "SET CONSTRAINTS ALL IMMEDIATE")
    said = [f"{_name(one)} goes by its old name for it" for one in names]
    said += [f"{next(iter(aside))} is set aside for it"] if aside else []
    said += [f"{one.key} is what it was, for it" for one in former if not (one.is_function or one.key in aside)]
    said += ["functions that it calls are what they were, for it"] if any(one.is_function for one in former) else []
    return action._replace(
        statements=(*before, *action.statements, *after),
        why="; ".join(filter(None, (action.why, *said))),
    )


def _name(lent: Lent) -> str:
    return lent.new if lent.enum else identity_of(lent.new)


def _taken(aside: Mapping[str, str]) -> list[str]:
    """Statements that take these facts away; of a column only its type, which everything can be read from as text."""
    found = [f"{_alter(key)} DROP DEFAULT" for key in aside if key.startswith("default ")]
    for key in reversed(list(aside)):
        found += [f"{_alter(key)} TYPE {_text(aside[key])}"] if key.startswith("column ") else drop(key)
    return found


def _made_again(aside: Mapping[str, str]) -> list[str]:
    found = [
        f"{_alter(key)} TYPE {value} USING {parts(identity_of(key))[-1]}::{value}"
        for key, value in aside.items()
        if key.startswith("column ")
    ]
    others = [key for key in aside if not key.startswith("column ")]
    for rendered in render(others, aside, {}, made_by=lambda _: 0, source=lambda _: "", renamed={}):
        found += rendered.statements
    return found


def _text(type_: str) -> str:
    return "text[]" if type_.endswith("[]") else "text"


def _alter(key: str) -> str:
    return f"ALTER TABLE {table_of(key)} ALTER COLUMN {parts(identity_of(key))[-1]}"


def _cannot_wait(action: Action, what: str) -> Conflict:
    return Conflict(
        about=action.id,
        why=f"{what} is in its way, made here already by a later step, and it does not fit into one transaction",
        hint="Run its statements by hand with what they need, and then `trueup resolve "
        f"{action.id} --applied`; or take back what was done early.",
    )
