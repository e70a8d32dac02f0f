"""From a statement to its safe form, and from the form to the parts that are sent."""

from __future__ import annotations

from trueup.catalog.keys import kind_of, table_touched
from trueup.chain.grammar import Statement, enum_name
from trueup.planning.safe.indexes import create_index, drop_index, reindex
from trueup.planning.safe.model import READS_NOTHING, Form, Hazard, Part, Work
from trueup.planning.safe.partitions import attach_partition, create_partition, detach_partition
from trueup.planning.safe.recreate import as_one, only_indexes, swapped_indexes
from trueup.planning.safe.references import create_table, drop_table
from trueup.planning.safe.tables import alter_table


def parts_together(work: Work, statements: list[Statement]) -> tuple[Part, ...]:
    """The parts that several statements of one transaction are sent as, where there is such a form; else none."""
    if only_indexes(statements):
        form = swapped_indexes(work)
        return _assembled(work, form) if form else ()
    one = as_one(statements)
    return safe_parts(work._replace(statement=one), is_slow=True) if one else ()


def safe_parts(work: Work, *, is_slow: bool, is_observed: bool = True) -> tuple[Part, ...]:
    """The parts that a statement is sent as; none where it is sent as written.

    Args:
        work: The statement.
        is_slow: It scans or rewrites under a lock that others would feel, or may.
        is_observed: The scratch server has shown that it does.

    Raises:
        Hazard: it is slow, and there is no form that nobody would feel.
    """
    form = _form(work, is_slow=is_slow)
    if form is None and is_slow and is_observed and work.statement.tag not in READS_NOTHING:
        raise Hazard(work.table, "it writes the whole table anew" if work.rewrites else "it reads the whole table")
    return _assembled(work, form) if form else ()


def _form(work: Work, *, is_slow: bool) -> Form | None:
    node = work.statement.node
    match work.statement.tag:
        case "index_stmt" if is_slow and not node.concurrent:
            return create_index(work)
        case "drop_stmt":
            return _dropped(work, is_begun=is_slow)
        case "reindex_stmt" if is_slow:
            return reindex(work)
        case "create_stmt":
            return create_partition(work) if node.HasField("partbound") else create_table(work, is_begun=is_slow)
        case "alter_table_stmt" if enum_name(node, "objtype") == "OBJECT_TABLE":
            return _altered(work, is_slow=is_slow)
    return None


def _dropped(work: Work, *, is_begun: bool) -> Form | None:
    what = enum_name(work.statement.node, "remove_type")
    if what == "OBJECT_INDEX" and not work.statement.node.concurrent:
        return drop_index(work)
    return drop_table(work, is_begun=is_begun) if what == "OBJECT_TABLE" else None


def _altered(work: Work, *, is_slow: bool) -> Form | None:
    node = work.statement.node
    kinds = [enum_name(item.alter_table_cmd, "subtype") for item in node.cmds]
    if kinds == ["AT_DetachPartition"]:
        return detach_partition(work)
    if kinds == ["AT_AttachPartition"]:
        return attach_partition(work) if is_slow else None
    if "AT_ValidateConstraint" in kinds and len(kinds) == 1:
        return alter_table(work)
    if not is_slow and "AT_AlterColumnType" not in kinds:
        return None
    if not node.relation.inh and (work.live.is_partitioned(work.table) or work.live.relations[work.table].partitions):
        raise Hazard(work.table, "it reads every row of this table alone")
    return alter_table(work)


def _assembled(work: Work, form: Form) -> tuple[Part, ...]:
    parts: list[Part] = []
    clauses = form.clauses
    alter = f"ALTER TABLE {work.table} "
    if form.before and form.first:
        columns = {key: value for key, value in work.set.items() if kind_of(key) == "column"}
        opened = (*form.opening, alter + ", ".join(form.first), *form.owned)
        parts.append(Part(statements=opened, why=form.why, locks={work.table: "AE"}, makes=columns))
    else:
        clauses = (*form.first, *clauses)
    parts += form.before
    if clauses or form.then:
        later = {key for part in form.after for key in part.makes}
        makes: dict[str, str | None] = {
            key: value
            for key, value in work.set.items()
            if key not in later
            and (table_touched(key, value) == work.table or kind_of(key) in ("valid", "sequence", "sequence owner"))
        }
        makes |= dict.fromkeys(work.gone)
        altered = (alter + ", ".join(clauses),) if clauses else ()
        parts.append(Part(statements=(*altered, *form.then), why=form.why, locks=work.locks, makes=makes))
    return (*parts, *form.after)
