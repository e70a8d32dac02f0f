"""A part of a plan that is carried out alone: its backfills, or its index builds. The rest waits for `up`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from trueup.catalog.keys import identity_of, kind_of, mentions, table_of
from trueup.chain.grammar import Statement, deparse, nodes_of, parse_statements, range_identity
from trueup.chain.model import LockedChain
from trueup.chain.statements import is_concurrent
from trueup.planning.model import Action, Plan

_NAMED = ("function", "procedure", "type", "enum", "domain", "sequence", "view")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What can be carried out now, in groups: the actions of one go in order, groups do not touch one another.

    `waiting` are actions of the same kind that something else has to be done before, each with what that is.
    """

    groups: tuple[tuple[Action, ...], ...]
    waiting: tuple[tuple[Action, str], ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """All of them."""
        return tuple(action for group in self.groups for action in group)


def backfills(plan: Plan, locked: LockedChain, names: Collection[str] = ()) -> Part:
    """The backfills that nothing else has to be done before; with `names` only those of these steps."""
    return _part(plan.actions, locked, names, lambda action: action if action.backfill else None)


def index_builds(plan: Plan, locked: LockedChain, names: Collection[str] = ()) -> Part:
    """The indexes that nothing else has to be done before, each as a build that blocks nobody."""
    builds = {id(action): _concurrent(action) for action in plan.actions}
    # a step in parts may have some of another kind
    others = {action.id for action in plan.actions if builds[id(action)] is None}
    return _part(plan.actions, locked, names, lambda action: None if action.id in others else builds[id(action)])


def _part(
    actions: Iterable[Action],
    locked: LockedChain,
    names: Collection[str],
    chosen: Callable[[Action], Action | None],
) -> Part:
    groups: list[list[Action]] = []
    waiting: list[tuple[Action, str]] = []
    others: list[Action] = []
    for action in actions:
        mine = None if names and action.id not in names else chosen(action)
        if mine is None:
            others.append(action)
        elif before := next((other for other in others if _touch(other, action, locked)), None):
            waiting.append((mine, before.id))
            others.append(action)  # what depends on it waits as well
        else:
            together = [group for group in groups if any(_touch(other, action, locked) for other in group)]
            groups = [group for group in groups if group not in together]
            groups.append([*(other for group in together for other in group), mine])
    return Part(groups=tuple(map(tuple, groups)), waiting=tuple(waiting))


def _touch(earlier: Action, later: Action, locked: LockedChain) -> bool:
    """True where the later one may need what the earlier one does: they share a relation, or it names something."""
    if _relations(earlier, locked) & _relations(later, locked):
        return True
    text = "\n".join(later.statements)
    return any(kind_of(key) in _NAMED and mentions(text, identity_of(key)) for key in earlier.keys)


def _relations(action: Action, locked: LockedChain) -> set[str]:
    touched = set(action.locks) | (set() if action.step is None else set(locked.effects[action.step].locks))
    touched |= {table for key in action.keys if (table := table_of(key))}
    if any(kind_of(key) == "index" for key in action.keys):  # it is its statement that names the table
        for text in action.statements:
            touched |= {range_identity(table) for table in nodes_of(parse_statements(text)[0].node, "RangeVar")}
    return touched


def _concurrent(action: Action) -> Action | None:
    """An action that only makes indexes, in the form that blocks no writer; None for every other one."""
    if not action.keys or not all(kind_of(key) in ("index", "valid") for key in action.keys):
        return None
    parsed = [statement for text in action.statements for statement in parse_statements(text)]
    if any(not _makes_index(statement) for statement in parsed):
        return None
    statements = tuple(map(_concurrently, parsed))
    return action._replace(statements=statements, transaction=action.transaction and statements == action.statements)


def _makes_index(statement: Statement) -> bool:
    if statement.tag == "alter_table_stmt":  # ALTER INDEX … ATTACH PARTITION
        return any(nodes_of(statement.node, "PartitionCmd"))
    return statement.tag in ("index_stmt", "reindex_stmt")


def _concurrently(statement: Statement) -> str:
    if is_concurrent(statement) or statement.tag == "alter_table_stmt":
        return statement.text
    if statement.tag == "reindex_stmt":
        return re.sub(r"(?i)^reindex\s+index\s+", "REINDEX INDEX CONCURRENTLY ", statement.text)
    if not statement.node.relation.inh:  # ON ONLY a partitioned table: it has no rows
        return statement.text
    node = type(statement.node)()
    node.CopyFrom(statement.node)
    node.concurrent = True
    return deparse(statement.tag, node)
