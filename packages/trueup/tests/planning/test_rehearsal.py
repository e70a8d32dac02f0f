"""What the server would refuse is known before anything is sent."""

from __future__ import annotations

import pytest

from trueup.chain.grammar import parse_each
from trueup.chain.model import Effect
from trueup.decide.trajectory import Trajectories
from trueup.planning.rehearsal.catalog import Catalog
from trueup.planning.rehearsal.sending import Refused, Sending
from trueup.planning.rehearsal.statements import send

pytestmark = pytest.mark.unit

FACTS = {
    "table public.leads": "",
    "column public.leads.id": "integer",
    'column public.leads."Phone"': "text",
    "column public.leads.mood": "mood",
    "constraint public.leads.leads_pkey": "PRIMARY KEY (id)",
    "index public.by_phone": 'ON public.leads USING btree ("Phone")',
    "trigger public.leads.noted": "",
    "enum public.mood": "good, bad",
    "table public.calls": "",
    "column public.calls.id": "integer",
    "column public.calls.lead": "integer",
    "constraint public.calls.of_lead": "FOREIGN KEY (lead) REFERENCES public.leads(id)",
    "view public.ids": " SELECT id FROM public.leads;",
    'table public."user"': "",
    'column public."user".id': "integer",
}
GONE = {
    "table public.old": "",
    "column public.old.id": "integer",
    "column public.leads.gone": "text",
    "constraint public.leads.was": "CHECK (true)",
    "enum public.kind": "a",
    "index public.by_name": "ON public.leads USING btree (name)",
    "trigger public.leads.told": "",
}


def said(*statements: str) -> str:
    """What the server would say to the last of these statements."""
    paths = Trajectories([Effect({**FACTS, **GONE}), Effect(gone=tuple(GONE))], {})
    sending = Sending(Catalog(FACTS, paths))
    *before, last = parse_each(statements)
    for one in before:
        send(sending, one)
    try:
        send(sending, last)
    except Refused as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE IF NOT EXISTS leads (id int)"],
        ["CREATE TABLE other (lead int REFERENCES leads (id), mood mood)", "ALTER TABLE other ADD x int"],
        ["ALTER TABLE leads ADD COLUMN IF NOT EXISTS id int"],
        [
            'ALTER TABLE leads DROP COLUMN "Phone"',
            'ALTER TABLE leads ADD "Phone" int',
            "CREATE INDEX by_phone ON leads (id)",
        ],
        [
            "ALTER TABLE leads DROP COLUMN id, ADD COLUMN id uuid NOT NULL PRIMARY KEY",
            "ALTER TABLE leads DROP CONSTRAINT leads_pkey",
        ],
        ["DROP TABLE IF EXISTS old"],
        [
            "DROP TABLE leads CASCADE",
            "CREATE TABLE leads (id int)",
            "ALTER TABLE calls ADD CONSTRAINT of_lead CHECK (true)",
        ],
        ["DROP TABLE leads, calls"],
        ["ALTER TABLE leads RENAME TO people", "CREATE TABLE leads (id int)", "DROP TABLE leads"],
        ["ALTER TABLE calls RENAME lead TO person", "CREATE INDEX ON calls (person)"],
        ["ALTER TYPE mood RENAME TO state", "ALTER TABLE calls ADD s state"],
        ["SELECT * FROM an_extension_has_made", "CREATE INDEX x ON elsewhere.t (y)"],
        ["CREATE TEMP TABLE old (id int)", "INSERT INTO old SELECT 1"],
        ["SELECT id INTO old FROM leads", "CREATE INDEX ON old (id)", "DROP TABLE old"],
        ["SELECT id INTO TEMP old FROM leads", "DELETE FROM old", "DROP TABLE old"],
        ["DROP SCHEMA public CASCADE", "CREATE TABLE leads (id int)", "CREATE TYPE mood AS ENUM ()"],
        ["ALTER TABLE leads ADD UNIQUE USING INDEX by_phone", "CREATE INDEX by_phone ON leads (id)"],
        [
            "CREATE TABLE calls_1 PARTITION OF calls DEFAULT",
            "ALTER TABLE calls ADD z int",
            "CREATE INDEX ON calls_1 (z)",
        ],
        ["WITH old AS (SELECT 1) SELECT * FROM old"],
        ['INSERT INTO "user" (id) VALUES (1)'],
        ["CREATE OR REPLACE VIEW ids AS SELECT id FROM leads"],
        ["ALTER TABLE IF EXISTS old ADD x int"],
        ["ALTER TABLE leads SET SCHEMA shop", "ALTER TABLE shop.leads ADD x int"],
    ],
)
def test_what_the_server_would_take_is_taken(statements: list[str]) -> None:
    assert "" == said(*statements)


@pytest.mark.parametrize(
    "statements, why",
    [
        (["CREATE TABLE leads (id int)"], "there is a public.leads already"),
        (["CREATE VIEW ids AS SELECT 1"], "there is a public.ids already"),
        (["CREATE INDEX by_phone ON leads (id)"], "there is a public.by_phone already"),
        (["CREATE TYPE mood AS ENUM ()"], "there is a public.mood already"),
        (["ALTER TABLE old ADD x int"], "there is no public.old"),
        (["INSERT INTO leads SELECT * FROM old"], "there is no public.old"),
        (["CREATE VIEW w AS SELECT * FROM old"], "there is no public.old"),
        (["DROP TABLE leads CASCADE", "UPDATE leads SET id = 1"], "there is no public.leads"),
        (["ALTER TABLE leads ADD id int"], "public.leads has a column id already"),
        (["ALTER TABLE leads DROP gone"], "public.leads has no column gone"),
        (["UPDATE leads SET gone = 1"], "public.leads has no column gone"),
        (["INSERT INTO leads (id, gone) VALUES (1, 2)"], "public.leads has no column gone"),
        (["CREATE INDEX ON leads (gone)"], "public.leads has no column gone"),
        (["ALTER TABLE leads ADD UNIQUE (gone)"], "public.leads has no column gone"),
        (["ALTER TABLE calls ADD FOREIGN KEY (lead) REFERENCES leads (gone)"], "public.leads has no column gone"),
        (["ALTER TABLE calls ADD FOREIGN KEY (lead) REFERENCES old"], "there is no public.old"),
        (["ALTER TABLE leads RENAME id TO mood"], "public.leads has a column mood already"),
        (["ALTER TABLE leads VALIDATE CONSTRAINT was"], "public.leads has no constraint was"),
        (["ALTER TABLE leads RENAME CONSTRAINT was TO x"], "public.leads has no constraint was"),
        (["ALTER TABLE calls ADD CONSTRAINT of_lead CHECK (true)"], "public.calls has a constraint of_lead already"),
        (["ALTER TABLE leads ADD k kind"], "there is no type public.kind"),
        (["ALTER TYPE kind ADD VALUE 'b'"], "there is no type public.kind"),
        (["DROP INDEX by_name"], "there is no public.by_name"),
        (["DROP TRIGGER told ON leads"], "public.leads has no trigger told"),
        (
            ["CREATE TRIGGER noted AFTER INSERT ON leads EXECUTE FUNCTION f()"],
            "public.leads has a trigger noted already",
        ),
        (["DROP TABLE leads"], "public.leads cannot be dropped: of_lead of public.calls refers to it"),
        (
            ["ALTER TABLE leads RENAME TO leads_old", "CREATE TABLE leads (id int)", "DROP TABLE leads_old"],
            "public.leads_old cannot be dropped: of_lead of public.calls refers to it",
        ),
        (
            ["CREATE TABLE old () INHERITS (leads)", "ALTER TABLE leads DROP id CASCADE", "UPDATE old SET id = 1"],
            "public.old has no column id",
        ),
        (["ALTER TABLE leads RENAME TO calls"], "there is a public.calls already"),
    ],
)
def test_what_the_server_would_refuse_is_told(statements: list[str], why: str) -> None:
    assert f"{why} by then" == said(*statements)


@pytest.mark.parametrize(
    "again, drop",
    [
        ("ADD id uuid PRIMARY KEY", "leads DROP CONSTRAINT leads_pkey"),
        ("ADD id uuid UNIQUE", "leads DROP CONSTRAINT leads_id_key"),
        ("ADD id uuid, ADD FOREIGN KEY (id) REFERENCES calls (id)", "leads DROP CONSTRAINT leads_id_fkey"),
    ],
)
def test_a_constraint_that_has_no_name_gets_the_server_s(again: str, drop: str) -> None:
    assert not said(f"ALTER TABLE leads DROP id CASCADE, {again}", f"ALTER TABLE {drop}")


def test_what_a_call_makes_is_known_from_what_it_did() -> None:
    made = {"column public.old.id": "integer", "constraint public.old.k": "UNIQUE (id)", "table public.old": ""}
    catalog = Catalog(FACTS, Trajectories([Effect({**FACTS, **GONE}), Effect(gone=tuple(GONE))], {}))

    catalog.follow(Effect(made))

    assert all(map(catalog.has, made))
