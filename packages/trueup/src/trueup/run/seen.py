"""The facts of a chain's schemas, with the digest that the catalog had just before they were read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from trueup.catalog.keys import granted, identity_of, schemas_of
from trueup.catalog.snapshot import take
from trueup.chain.model import Facts, LockedChain
from trueup.run.look import catalog_digest


class Scope(NamedTuple):
    """What a chain is about: its schemas, the roles that it makes, and those that it grants something to."""

    schemas: Collection[str]
    roles: Collection[str]
    grantees: Collection[str]


class Seen(NamedTuple):
    """A snapshot; `catalog` is the digest from before."""

    catalog: str
    facts: Facts


Early = Callable[[], Seen | None]
"""Waits for a snapshot that was begun before anybody needed it."""


def scope_of(locked: LockedChain) -> Scope:
    """What a snapshot for this chain has to have."""
    keys = locked.base.keys() | {key for effect in locked.effects for key in effect.keys}
    return Scope(
        schemas=schemas_of(keys) | {"public"},
        roles={identity_of(key) for key in keys if key.startswith("role ")},
        grantees={granted(identity_of(key))[2] for key in keys if key.startswith("privileges ")},
    )


def see(conn: Connection[Any], scope: Scope, before: Seen | None = None) -> Seen:
    """Read the facts; those from `before`, where the catalog has not changed since."""
    catalog = catalog_digest(conn)
    return before if before and before.catalog == catalog else Seen(catalog, take(conn, *scope))


def see_early(conn: Connection[Any], scope: Scope) -> Seen | None:
    """A snapshot before anybody needs it. What goes wrong is for the look at the right time to tell."""
    with suppress(psycopg.Error):  # nobody waits for this one
        return see(conn, scope)
    return None
