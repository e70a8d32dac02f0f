"""GRANT and REVOKE from facts."""

from __future__ import annotations

import pytest

from trueup.chain.grammar import parse_statements
from trueup.render.privileges import change

pytestmark = pytest.mark.unit

TABLE, COLUMN = "table public.a to app", 'column public.a."X y" to app'
FUNCTION, SCHEMA = "function public.f(integer) to PUBLIC", "schema public to PUBLIC"
OWN, THEIRS = "on tables in app to anon", "for owner on functions to PUBLIC"

CHANGES = [
    ("privileges", TABLE, "INSERT, SELECT", None, ["GRANT INSERT, SELECT ON TABLE public.a TO app"]),
    ("privileges", TABLE, "INSERT, SELECT", "SELECT, UPDATE", [
        "REVOKE UPDATE ON TABLE public.a FROM app", "GRANT INSERT ON TABLE public.a TO app",
    ]),
    ("privileges", TABLE, "SELECT WITH GRANT OPTION", None, ["GRANT SELECT ON TABLE public.a TO app WITH GRANT OPTION"]),
    ("privileges", TABLE, "SELECT", "SELECT WITH GRANT OPTION", [
        "REVOKE GRANT OPTION FOR SELECT ON TABLE public.a FROM app", "GRANT SELECT ON TABLE public.a TO app",
    ]),
    ("privileges", TABLE, None, "ALL", ["REVOKE ALL ON TABLE public.a FROM app"]),
    ("privileges", TABLE, "SELECT", "ALL", [
        "REVOKE ALL ON TABLE public.a FROM app", "GRANT SELECT ON TABLE public.a TO app",
    ]),
    ("privileges", COLUMN, "SELECT, UPDATE", None, ['GRANT SELECT ("X y"), UPDATE ("X y") ON TABLE public.a TO app']),
    ("privileges", "view public.v to app", "SELECT", None, ["GRANT SELECT ON TABLE public.v TO app"]),
    ("privileges", FUNCTION, "NONE", None, ["REVOKE ALL ON ROUTINE public.f(integer) FROM PUBLIC"]),
    ("privileges", FUNCTION, None, "NONE", ["GRANT ALL ON ROUTINE public.f(integer) TO PUBLIC"]),
    ("privileges", SCHEMA, "NONE", None, ["REVOKE USAGE ON SCHEMA public FROM PUBLIC"]),
    ("default privileges", OWN, "SELECT", None, ["ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO anon"]),
    ("default privileges", THEIRS, "NONE", None, [
        "ALTER DEFAULT PRIVILEGES FOR ROLE owner REVOKE ALL ON FUNCTIONS FROM PUBLIC",
    ]),
]  # fmt: skip


@pytest.mark.parametrize("kind, identity, wanted, found, statements", CHANGES)
def test_what_a_role_may_do_is_changed_to_what_it_should(
    kind: str, identity: str, wanted: str | None, found: str | None, statements: list[str]
) -> None:
    assert statements == change(kind, identity, wanted, found)
    assert all(parse_statements(statement) for statement in statements)
