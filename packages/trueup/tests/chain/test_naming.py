"""What a step is called where its author gave no name."""

from __future__ import annotations

import pytest

from trueup.chain.grammar import parse_statements
from trueup.chain.naming import derived_name

pytestmark = pytest.mark.unit

NAMES = {
    "CREATE TABLE public.leads (id int)": "leads_table",
    "CREATE INDEX idx_leads_phone ON leads (phone)": "idx_leads_phone",
    "CREATE INDEX ON leads (phone)": "leads_index",
    "ALTER TABLE leads ADD COLUMN phone text": "leads_phone",
    "ALTER TABLE leads ADD CONSTRAINT chk_phone CHECK (phone <> '')": "chk_phone",
    "ALTER TABLE leads ADD UNIQUE (phone)": "leads_constraint",
    "ALTER TABLE leads DROP COLUMN phone": "leads_phone_dropcolumn",
    "ALTER TABLE leads ALTER phone SET NOT NULL": "leads_phone_setnotnull",
    "ALTER TABLE leads ADD a int, ADD b int": "alter_leads",
    "CREATE VIEW report AS SELECT 1": "report_view",
    "CREATE TABLE copy AS SELECT 1": "copy_as",
    "CREATE FUNCTION app.touch() RETURNS int LANGUAGE sql AS 'SELECT 1'": "touch_function",
    "CREATE TRIGGER touched BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION touch()": "touched_trigger",
    "CREATE TYPE mood AS ENUM ('sad')": "mood_type",
    "CREATE TYPE pair AS (a int, b int)": "pair_type",
    "CREATE DOMAIN phone AS text": "phone_type",
    "ALTER TYPE mood ADD VALUE 'glad'": "mood_glad",
    "CREATE SCHEMA app": "app_schema",
    "CREATE EXTENSION pg_trgm": "pg_trgm_extension",
    "INSERT INTO leads VALUES (1)": "insert_leads",
    "UPDATE leads SET x = 1": "update_leads",
    "DELETE FROM leads": "delete_leads",
    "ALTER TABLE leads RENAME TO contacts": "rename_leads_to_contacts",
    "ALTER TABLE leads RENAME COLUMN tel TO phone": "rename_tel_to_phone",
    "DROP TABLE app.leads": "drop_leads",
    "DROP FUNCTION touch()": "drop_touch",
    "COMMENT ON TABLE leads IS 'people'": "comment",
    "TRUNCATE leads": "truncate_leads",
    'CREATE TABLE "Odd Name!" (id int)': "odd_name__table",
}


@pytest.mark.parametrize("sql", NAMES)
def test_a_name_tells_what_the_statement_does(sql: str) -> None:
    (statement,) = parse_statements(sql)

    assert NAMES[sql] == derived_name(statement)


def test_a_name_has_an_end() -> None:
    (statement,) = parse_statements(f"CREATE TABLE {'x' * 63} (id int)")

    assert 60 == len(derived_name(statement))


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE SEQUENCE numbers",
        "CREATE POLICY own ON leads",
        "CREATE RULE r AS ON INSERT TO leads DO NOTHING",
        "CREATE STATISTICS s ON a, b FROM leads",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "GRANT SELECT ON leads TO app",
        "REFRESH MATERIALIZED VIEW m",
        "DO $$ BEGIN NULL; END $$",
        "CALL move_rows()",
        "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)",
        "CREATE TYPE span AS RANGE (SUBTYPE = int4)",
        "ALTER FUNCTION f() RENAME TO g",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
        "ALTER TABLE leads RENAME CONSTRAINT a TO b",
        "VACUUM leads",
        "SELECT 1",
    ],
)
def test_every_other_kind_has_a_name_that_can_be_an_id(sql: str) -> None:
    (statement,) = parse_statements(sql)

    assert derived_name(statement).replace("_", "a").isalnum()
    assert not derived_name(statement).endswith("_")
