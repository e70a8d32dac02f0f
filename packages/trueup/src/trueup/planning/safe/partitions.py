"""Partitions: made standing alone and then attached, detached CONCURRENTLY."""

from __future__ import annotations

from trueup.catalog.keys import identity_of, kind_of
from trueup.planning.safe.model import Form, Part, Work, validate

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
    bound = work.set[f"partition {name}"].removeprefix(f"PARTITION OF {work.table} ")
    return Form(
        before=(
            Part(
                statements=(f"CREATE TABLE {name} (LIKE {work.table} {_NO_IDENTITY})",),
                why="a table of its own is made without a lock on the others",
                locks={work.table: "AS"},
                makes={f"table {name}": work.set.get(f"table {name}", "")},
            ),
            Part(
                statements=(f"ALTER TABLE {work.table} ATTACH PARTITION {name} {bound}",),
                why="attached, it does not stop readers and writers of the others",
                locks={work.table: "SUE"},
                makes={f"partition {name}": work.set[f"partition {name}"]},
            ),
        )
    )


def detach_partition(work: Work) -> Form | None:
    """DETACH PARTITION; None where CONCURRENTLY cannot be: beside a DEFAULT partition."""
    (command,) = (item.alter_table_cmd for item in work.statement.node.cmds)
    node = getattr(command, "def").partition_cmd
    gone = [identity_of(key) for key in work.gone if kind_of(key) == "partition"]
    parent = work.live.relations[work.table]
    if node.concurrent or len(gone) != 1 or parent.has_default:
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
    add = f"{alter} DROP CONSTRAINT IF EXISTS {helper}, ADD CONSTRAINT {helper} CHECK ({bound}) NOT VALID"
    added = Part(
        statements=(add,),
        why="else the server would leave a CHECK with the bounds on the detached table",
        locks={partition: "AE"},
        makes=makes,
    )
    return Form(before=(added, validate(partition, helper, makes), detached, dropped))
