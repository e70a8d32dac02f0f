"""Partitions: made standing alone and then attached, detached CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from trueup.catalog.keys import identity_of, kind_of
from trueup.planning.safe.bounds import condition_of
from trueup.planning.safe.model import Form, Hazard, Part, Work, validate

_NO_IDENTITY = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION"


def create_partition(work: Work) -> Form | None:
    """CREATE TABLE … PARTITION OF: a table of its own first, which then is attached under a weaker lock.

    None where the author gives it columns or options of its own, or where it has partitions itself.
    """
    node = work.statement.node
    made = [identity_of(key) for key in work.set if kind_of(key) == "partition"]
    if len(made) != 1 or node.table_elts or node.options or node.HasField("partspec"):
        return None
    (name,) = made
    if not work.set[f"partition {name}"].startswith(f"PARTITION OF {work.table} "):
        return None
    makes: dict[str, str | None] = {f"table {name}": work.set.get(f"table {name}", "")}
    made_alone = Part(
        statements=(f"CREATE TABLE {name} (LIKE {work.table} {_NO_IDENTITY})",),
        why="a table of its own is made without a lock on the others",
        locks={work.table: "AS"},
        makes=makes,
    )
    form = _attached(work, name, among=())
    if form is None:
        raise Hazard(work.table, f"it reads all of its DEFAULT partition, {work.live.relations[work.table].default}")
    return replace(form, before=(made_alone, *form.before))


def attach_partition(work: Work) -> Form | None:
    """ATTACH PARTITION: that the rows are within the bounds is checked before, and so is the DEFAULT partition."""
    made = [identity_of(key) for key, value in work.set.items() if kind_of(key) == "partition" and _of(work, value)]
    return _attached(work, made[0], among=made) if len(made) == 1 else None


def _of(work: Work, value: str) -> bool:
    return value.startswith(f"PARTITION OF {work.table} ")


def _attached(work: Work, name: str, *, among: Collection[str]) -> Form | None:
    """ATTACH, behind CHECKs of what it would read: these tables, and the DEFAULT partition."""
    value = work.set[f"partition {name}"]
    bound = value.removeprefix(f"PARTITION OF {work.table} ")
    default = work.live.relations[work.table].default
    condition = condition_of(work, bound)
    checks = dict.fromkeys(among, f"({condition})") | ({default: f"(NOT ({condition}))"} if default else {})
    to_check = {table: check for table, check in checks.items() if work.live.is_felt(table)}
    if to_check and not condition:
        return None
    makes: dict[str, str | None] = {f"partition {name}": value}
    before: list[Part] = []
    dropped = []
    for table, check in to_check.items():
        helper = work.helper(f"bound of {name} on {table}")
        drop = f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {helper}"
        add = f"{drop}, ADD CONSTRAINT {helper} CHECK {check} NOT VALID"
        why = "new rows are checked from here on, those that are there later"
        before += [
            Part(statements=(add,), why=why, locks={table: "AE"}, makes=makes),
            validate(table, helper, makes),
        ]
        dropped.append(drop)
    attached = Part(
        statements=(f"ALTER TABLE {work.table} ATTACH PARTITION {name} {bound}", *dropped),
        why="attached, it does not stop readers and writers of the others"
        + (", and no row is read: the CHECKs say what they hold" if dropped else ""),
        locks={work.table: "SUE", **dict.fromkeys(to_check, "AE")},
        makes=makes,
    )
    return Form(before=(*before, attached))


def detach_partition(work: Work) -> Form | None:
    """DETACH PARTITION; None where CONCURRENTLY cannot be: beside a DEFAULT partition."""
    (command,) = (item.alter_table_cmd for item in work.statement.node.cmds)
    node = getattr(command, "def").partition_cmd
    gone = [identity_of(key) for key in work.gone if kind_of(key) == "partition"]
    parent = work.live.relations[work.table]
    if node.concurrent or len(gone) != 1 or parent.default:
        return None
    (partition,) = gone
    alter = f"ALTER TABLE {partition}"
    makes: dict[str, str | None] = {f"partition {partition}": None}
    if partition in parent.detaching:
        how, why = "FINALIZE", "it was interrupted, and is brought to its end"
    else:
        how, why = "CONCURRENTLY", "queries that use the partition end first, and nobody waits for them"
    bound = parent.bounds.get(partition, "")
    helper = work.helper(f"bound of {partition}")
    dropped = Part(
        statements=(f"{alter} DROP CONSTRAINT IF EXISTS {helper}",), why="the helper goes", locks={partition: "AE"}
    )
    if partition not in parent.partitions:  # an earlier run came so far
        return Form(before=(dropped,))
    detached = Part(
        statements=(f"ALTER TABLE {work.table} DETACH PARTITION {partition} {how}",),
        why=why,
        locks={work.table: "SUE"},
        makes=makes,
        transaction=False,
    )
    if partition in parent.detaching:  # until then nothing about it can be changed
        return Form(before=(detached, dropped))
    add = f"{alter} DROP CONSTRAINT IF EXISTS {helper}, ADD CONSTRAINT {helper} CHECK ({bound}) NOT VALID"
    added = Part(
        statements=(add,),
        why="else the server would leave a CHECK with the bounds on the detached table",
        locks={partition: "AE"},
        makes=makes,
    )
    return Form(before=(added, validate(partition, helper, makes), detached, dropped))
