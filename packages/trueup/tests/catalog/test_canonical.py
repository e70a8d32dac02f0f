"""Values that servers write in more than one way."""

from __future__ import annotations

import pytest

from trueup.catalog.canonical import (
    canonical_list,
    canonical_moment,
    canonical_or,
    canonical_view,
    canonical_words,
    writable_list,
)

pytestmark = pytest.mark.unit

WRITTEN = "CHECK (((kind)::text = ANY ((ARRAY['a'::character varying, 'it''s'::character varying])::text[])))"
RESTORED = "CHECK (((kind)::text = ANY (ARRAY[('a'::character varying)::text, ('it''s'::character varying)::text])))"


def test_a_list_is_the_same_before_and_after_a_dump() -> None:
    assert WRITTEN == canonical_list(RESTORED)
    assert WRITTEN == canonical_list(WRITTEN)


def test_a_list_is_written_as_in() -> None:
    assert "CHECK ((kind IN ('a', 'it''s')))" == writable_list(WRITTEN)
    assert "CHECK ((kind NOT IN ('a', 'it''s')))" == writable_list(WRITTEN.replace("= ANY", "<> ALL"))


@pytest.mark.parametrize(
    "value",
    [
        "CHECK ((kind = ANY (ARRAY['a'::text, 'b'::text])))",
        "CHECK ((n = ANY (ARRAY[1, 2])))",
        "CHECK ((cardinality(tags) > 0))",
    ],
)
def test_other_checks_are_left_alone(value: str) -> None:
    assert value == canonical_list(value)
    assert value == writable_list(value)


@pytest.mark.parametrize(
    "value, wanted",
    [
        ("(((a IS DISTINCT FROM b) OR (c)) OR (d))", "((a IS DISTINCT FROM b) OR (c) OR (d))"),
        ("((((a IS DISTINCT FROM b) OR (c)) OR (d)) AND e)", "(((a IS DISTINCT FROM b) OR (c) OR (d)) AND e)"),
        ("((((a IS DISTINCT FROM b) OR (c)) OR (d)) OR (e))", "((a IS DISTINCT FROM b) OR (c) OR (d) OR (e))"),
        ("((a IS DISTINCT FROM b) OR ((c) OR (d)))", "((a IS DISTINCT FROM b) OR ((c) OR (d)))"),
        ("(((a IS DISTINCT FROM b) AND (c)) OR (d))", "(((a IS DISTINCT FROM b) AND (c)) OR (d))"),
        ("((a IS DISTINCT FROM '(x) OR (') OR (c))", "((a IS DISTINCT FROM '(x) OR (') OR (c))"),
        ("(((a) OR (b)) OR (c))", "(((a) OR (b)) OR (c))"),
    ],
)
def test_alternatives_are_shown_side_by_side(value: str, wanted: str) -> None:
    assert wanted == canonical_or(value)


@pytest.mark.parametrize(
    "value, wanted",
    [
        ("t > '2026-11-22 01:26:17.123456'::timestamp without time zone", "t > 'now'::timestamp without time zone"),
        ("'2026-11-22 01:26:17.12345+00'::timestamp with time zone", "'now'::timestamp with time zone"),
        ("'2026-11-22 01:26:17.123'::timestamp without time zone", ""),
        ("'2026-11-22 00:00:00'::timestamp without time zone", ""),
        ("'2026-11-22'::date", ""),
    ],
)
def test_the_moment_of_its_making_is_called_now(value: str, wanted: str) -> None:
    assert (wanted or value) == canonical_moment(value)


VIEWS = {
    "one table": (
        "AS  SELECT leads.id,\n    upper(leads.name) AS name\n   FROM leads\n  WHERE leads.id > 0;",
        "AS  SELECT id,\n    upper(name) AS name\n   FROM leads\n  WHERE id > 0;",
    ),
    "an alias": ("AS  SELECT l.id\n   FROM leads l;", "AS  SELECT id\n   FROM leads l;"),
    "quotes": (
        'AS  SELECT "my.leads"."ID",\n    "my.leads"."a""b"\n   FROM app."my.leads";',
        'AS  SELECT "ID",\n    "a""b"\n   FROM app."my.leads";',
    ),
    "letters of any alphabet": (
        "AS  SELECT 'לידים'::text AS מה,\n    leads.id\n   FROM leads;",
        "AS  SELECT 'לידים'::text AS מה,\n    id\n   FROM leads;",
    ),
    "grouping and order": (
        "AS  SELECT leads.kind,\n    count(*) AS n\n   FROM leads\n  GROUP BY leads.kind\n  ORDER BY leads.kind;",
        "AS  SELECT kind,\n    count(*) AS n\n   FROM leads\n  GROUP BY kind\n  ORDER BY kind;",
    ),
    "options": (
        "WITH (security_barrier=true) AS  SELECT leads.id\n   FROM leads;",
        "WITH (security_barrier=true) AS  SELECT id\n   FROM leads;",
    ),
    "a subquery keeps the names that it needs": (
        "AS  SELECT leads.id\n   FROM leads\n  WHERE (EXISTS ( SELECT 1\n  FROM c\n WHERE c.lead_id = leads.id));",
        "AS  SELECT id\n   FROM leads\n  WHERE (EXISTS ( SELECT 1\n  FROM c\n WHERE c.lead_id = leads.id));",
    ),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_15_as_16_prints_it(name: str) -> None:
    of_15, of_16 = VIEWS[name]

    assert of_16 == canonical_view(of_15)
    assert of_16 == canonical_view(of_16)


@pytest.mark.parametrize(
    "value",
    [
        "AS  SELECT a.id\n   FROM a\n     JOIN b ON a.id = b.id;",
        "AS  SELECT a.id\n   FROM a,\n    b;",
        "AS  SELECT a.id\n   FROM a\nUNION\n SELECT b.id\n   FROM b;",
        "AS  SELECT 1 AS one;",
        "AS this is no SQL",
    ],
)
def test_other_views_are_left_alone(value: str) -> None:
    assert value == canonical_view(value)


@pytest.mark.parametrize(
    "shown, wanted",
    [
        ('column public.t."json"', "column public.t.json"),
        ('ON public.t USING btree ("json_value", "order")', 'ON public.t USING btree (json_value, "order")'),
        ("""'{"json": "it''s"}'::jsonb || "json\"""", """'{"json": "it''s"}'::jsonb || json"""),
        ('AS SELECT "jsons", "system_user"', 'AS SELECT "jsons", "system_user"'),
        ("column public.t.system_user", 'column public.t."system_user"'),
        (
            """(system_user <> 'system_user') AND "a system_user" """,
            """("system_user" <> 'system_user') AND "a system_user" """,
        ),
        ("UNIQUE ON public.system_users (the_system_user, SYSTEM_USER)",) * 2,
    ],
)
def test_words_that_only_newer_servers_quote_are_shown_in_one_way(shown: str, wanted: str) -> None:
    assert wanted == canonical_words(shown)
