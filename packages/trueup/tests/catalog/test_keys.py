"""Keys of facts: kinds, quoted identities, and what hangs on what."""

from __future__ import annotations

import pytest

from trueup.catalog.keys import (
    column_of,
    identity_of,
    index_table,
    kind_of,
    mentions,
    owner_of,
    parts,
    quoted,
    schema_of,
    split_key,
    table_of,
    unquoted,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "key, kind, identity",
    [
        ("table public.leads", "table", "public.leads"),
        ("not null public.leads.phone", "not null", "public.leads.phone"),
        ("trigger state public.leads.touched", "trigger state", "public.leads.touched"),
        ("trigger state.leads.touched", "trigger", "state.leads.touched"),
        ("sequence owner public.s", "sequence owner", "public.s"),
        ("materialized view public.m", "materialized view", "public.m"),
        ("domain constraint public.phone.chk", "domain constraint", "public.phone.chk"),
        ("comment on column public.a.b", "comment on", "column public.a.b"),
        ('column public."not null x"."a.b"', "column", 'public."not null x"."a.b"'),
        ("function public.f(integer, text)", "function", "public.f(integer, text)"),
    ],
)
def test_a_key_is_a_kind_and_an_identity(key: str, kind: str, identity: str) -> None:
    assert (kind, identity) == split_key(key)
    assert kind == kind_of(key)
    assert identity == identity_of(key)


def test_something_else_is_no_key() -> None:
    with pytest.raises(ValueError, match="planet earth"):
        split_key("planet earth")


@pytest.mark.parametrize(
    "identity, expected",
    [
        ("public.leads.phone", ("public", "leads", "phone")),
        ('public."my.table"."a ""b"".c"', ("public", '"my.table"', '"a ""b"".c"')),
        ('"a b"."c d"', ('"a b"', '"c d"')),
        ('public.f(integer, "odd.type")', ("public", "f")),
        ('public."f(x)"(integer)', ("public", '"f(x)"')),
    ],
)
def test_parts_keep_their_quotes(identity: str, expected: tuple[str, ...]) -> None:
    assert expected == parts(identity)


@pytest.mark.parametrize("name", ["leads", "Leads", 'a"b', "a.b", "a b", "ליד", "1a", ""])
def test_a_name_survives_quoting(name: str) -> None:
    assert name == unquoted(quoted(name))


@pytest.mark.parametrize(
    "key, schema",
    [
        ("table public.leads", "public"),
        ('column "My App".leads.phone', "My App"),
        ("schema app", "app"),
        ("extension pg_trgm", ""),
        ("role app_user", ""),
        ("comment on materialized view app.m", "app"),
        ("comment on schema app", "app"),
        ("comment on function app.f(integer)", "app"),
    ],
)
def test_the_schema_of_a_fact(key: str, schema: str) -> None:
    assert schema == schema_of(key)


@pytest.mark.parametrize(
    "key, table",
    [
        ("table app.leads", "app.leads"),
        ("row security app.leads", "app.leads"),
        ("partition app.leads", "app.leads"),
        ('column app."my.leads".phone', 'app."my.leads"'),
        ("default app.leads.phone", "app.leads"),
        ("constraint app.leads.pk", "app.leads"),
        ("validated app.leads.fk", "app.leads"),
        ("trigger app.leads.touched", "app.leads"),
        ("policy app.leads.own", "app.leads"),
        ("comment on column app.leads.phone", "app.leads"),
        ("comment on constraint app.leads.pk", "app.leads"),
        ("index app.idx", ""),
        ("view app.report", ""),
        ("comment on view app.report", ""),
    ],
)
def test_the_table_of_a_fact(key: str, table: str) -> None:
    assert table == table_of(key)


def test_the_column_of_a_fact() -> None:
    assert "app.leads.phone" == column_of("not null app.leads.phone")
    assert "app.leads.phone" == column_of("column app.leads.phone")
    assert not column_of("constraint app.leads.pk")


@pytest.mark.parametrize(
    "key, owner",
    [
        ("not null app.leads.phone", "column app.leads.phone"),
        ("identity app.leads.id", "column app.leads.id"),
        ("column app.leads.phone", "table app.leads"),
        ("constraint app.leads.pk", "table app.leads"),
        ("validated app.leads.fk", "constraint app.leads.fk"),
        ("valid app.idx", "index app.idx"),
        ("trigger state app.leads.touched", "trigger app.leads.touched"),
        ("sequence owner app.s", "sequence app.s"),
        ("table app.leads", ""),
        ("view app.report", ""),
        ("enum app.mood", ""),
    ],
)
def test_what_a_fact_cannot_be_without(key: str, owner: str) -> None:
    assert owner == owner_of(key)


@pytest.mark.parametrize(
    "value, table",
    [
        ("ON public.leads USING btree (phone)", "public.leads"),
        ("UNIQUE ON public.leads USING btree (phone)", "public.leads"),
        ("ON ONLY public.leads USING btree (phone)", "public.leads"),
        ('UNIQUE ON "My App"."a b.c" USING gin (x)', '"My App"."a b.c"'),
    ],
)
def test_the_table_of_an_index(value: str, table: str) -> None:
    assert table == index_table(value)


@pytest.mark.parametrize(
    "text, said",
    [
        ("SELECT public FROM envs", True),
        ('UPDATE "public"."envs" SET id = 1', False),
        ("SELECT public.f(id) FROM public . envs", False),
        ("SELECT e.public FROM public.envs e", True),
    ],
)
def test_a_column_called_like_a_schema_is_mentioned_where_no_dot_follows(text: str, *, said: bool) -> None:
    assert said == mentions(text, "public.envs.public")


@pytest.mark.parametrize(
    "text, name, said",
    [
        ("UPDATE LEADS SET NAME = 'a'", "name", True),
        ("UPDATE leads SET renamed = 'a'", "name", False),
        ('SELECT "Name" FROM leads', '"Name"', True),
        ("SELECT name FROM leads", '"Name"', False),
    ],
)
def test_a_name_without_capitals_may_be_written_with_them(text: str, name: str, *, said: bool) -> None:
    assert said == mentions(text, f"public.leads.{name}")
