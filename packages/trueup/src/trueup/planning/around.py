"""What goes around a step, in its transaction, where later steps have been done early here.

Tables and columns get the names back that the step knows them by, and what would be in its way is set aside. When it
commits, everything is as it was; nobody else sees anything of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from trueup.catalog.keys import identity_of, parts, table_of
from trueup.decide.lent import Lent, needed_by
from trueup.decide.model import Conflict
from trueup.planning.model import Action
from trueup.render.objects import drop
from trueup.render.render import render


def around(
    actions: list[Action],
    lent: Sequence[Lent],
    aside: Mapping[str, str],
    functions: Sequence[tuple[str, str]] = (),
) -> tuple[list[Action], list[Conflict]]:
    """The actions of one step or healing with what has to go around them.

    `functions` are the texts of those that are to be other ones meanwhile: that for the time being, and that for after.
    """
    if not (lent or aside or functions):
        return actions, []
    found, conflicts = [], []
    for action in actions:
        index = -1 if action.step is None else action.step
        names = needed_by(lent, index, action.statements)
        if not (names or aside or functions):
            found.append(action)
        elif action.transaction and action.backfill is None and not action.splits:
            found.append(_wrapped(action, names, aside, functions))
        elif not (names or aside):
            found.append(action)  # it may well work with the functions as they are
        else:
            found.append(action)
            conflicts.append(_cannot_wait(action, names, aside))
    return found, conflicts


def _wrapped(
    action: Action, names: Sequence[Lent], aside: Mapping[str, str], functions: Sequence[tuple[str, str]]
) -> Action:
    before = [*(one.statement(back=True) for one in reversed(names)), *_taken(aside), *(was for was, _ in functions)]
    after = [*(now for _, now in functions), *_made_again(aside), *(one.statement(back=False) for one in names)]
    said = [f"{_name(one)} goes by its old name for it" for one in names]
    said += [f"{_first(aside)} is set aside for it" if aside else ""]
    said += ["functions that it calls are what they were, for it" if functions else ""]
    return replace(
        action,
        statements=(*before, *action.statements, *after),
        why="; ".join(filter(None, (action.why, *said))),
    )


def _name(lent: Lent) -> str:
    return lent.new if lent.enum else identity_of(lent.new)


def _first(aside: Mapping[str, str]) -> str:
    return next(iter(aside), "")


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


def _cannot_wait(action: Action, names: Sequence[Lent], aside: Mapping[str, str]) -> Conflict:
    what = _name(names[0]) if names else _first(aside)
    return Conflict(
        about=action.id,
        why=f"{what} is in its way, made here already by a later step, and it does not fit into one transaction",
        hint="Run its statements by hand with what they need, and then `trueup resolve "
        f"{action.id} --applied`; or take back what was done early.",
    )
