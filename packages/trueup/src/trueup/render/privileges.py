"""GRANT and REVOKE for what a role may do; ALTER DEFAULT PRIVILEGES for what it may do with objects to come."""

from __future__ import annotations

from trueup.catalog.keys import default_grant, granted, parts

_OPTION = " WITH GRANT OPTION"
_ROUTINES = ("function", "procedure", "aggregate")


def change(kind: str, identity: str, wanted: str | None, found: str | None) -> list[str]:
    """The statements from what a role may do to what it should; None stands for what it may do by default."""
    if kind == "privileges":
        of, name, role = granted(identity)
        usual = "ALL" if role == "PUBLIC" and of in (*_ROUTINES, "type") else "NONE"
        usual = "USAGE" if (of, name, role) == ("schema", "public", "PUBLIC") else usual
        prefix, target = "", _target(of, name)
        column = parts(name)[2] if of == "column" else ""
    else:
        owner, objects, schema, role = default_grant(identity)
        usual = "ALL" if role == "PUBLIC" and objects in ("functions", "types") and not schema else "NONE"
        prefix = "ALTER DEFAULT PRIVILEGES "
        prefix += (f"FOR ROLE {owner} " if owner else "") + (f"IN SCHEMA {schema} " if schema else "")
        target, column = objects.upper(), ""
    before, after = _split(found or usual), _split(wanted or usual)
    return [
        f"{prefix}{statement}"
        for statement in (
            *_revokes(before - after, after, target, role, column),
            *_grants(after - before, target, role, column),
        )
    ]


def _split(value: str) -> set[str]:
    if value.startswith("ALL"):
        return {value}
    return set() if value == "NONE" else set(value.split(", "))


def _target(of: str, name: str) -> str:
    if of == "column":
        return "TABLE " + ".".join(parts(name)[:2])
    if of in _ROUTINES:
        return f"ROUTINE {name}"
    return ("TABLE " if of.endswith(("view", "table")) else f"{of.upper()} ") + name


def _grants(missing: set[str], target: str, role: str, column: str) -> list[str]:
    plain = sorted(one for one in missing if not one.endswith(_OPTION))
    passed_on = sorted(one.removesuffix(_OPTION) for one in missing if one.endswith(_OPTION))
    return [
        f"GRANT {_listed(privileges, column)} ON {target} TO {role}{option}"
        for privileges, option in ((plain, ""), (passed_on, _OPTION))
        if privileges
    ]


def _revokes(surplus: set[str], wanted: set[str], target: str, role: str, column: str) -> list[str]:
    """What may stay without the option to pass it on only loses that."""
    kept = {one.removesuffix(_OPTION) for one in wanted}
    whole = sorted({one.removesuffix(_OPTION) for one in surplus if one.removesuffix(_OPTION) not in kept})
    options = sorted(
        one.removesuffix(_OPTION) for one in surplus if one.endswith(_OPTION) and one[: -len(_OPTION)] in kept
    )
    if "ALL" in kept:
        whole = []
    return [
        f"REVOKE {option}{_listed(privileges, column)} ON {target} FROM {role}"
        for privileges, option in ((whole, ""), (options, "GRANT OPTION FOR "))
        if privileges
    ]


def _listed(privileges: list[str], column: str) -> str:
    return ", ".join(f"{one} ({column})" if column else one for one in privileges)
