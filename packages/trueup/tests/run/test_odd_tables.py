"""Safe forms on tables that are not plain: the end is what psql makes of the same statements, rows included."""

from __future__ import annotations

import psycopg
import pytest

import trueup
from trueup_testing.chains import MakeChain
from trueup_testing.databases import Databases, execute, rows
from trueup_testing.safe_forms import IN_SAFE_FORMS, filled
from trueup_testing.schema import columns, dump, row_digests

pytestmark = pytest.mark.pg

BASE = """
CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."Par""ent" ("Id" int PRIMARY KEY);
CREATE TABLE "My Schema"."Tab le's" ("Id" int PRIMARY KEY, "select" text, "Ä" varchar(10), "P" int);
CREATE INDEX "Old Index" ON "My Schema"."Tab le's" ("select");
CREATE TABLE own (id int PRIMARY KEY, up int, a int, b int);
CREATE TABLE two (a int, b int, c int, PRIMARY KEY (b, a));
CREATE TABLE stamped (id int PRIMARY KEY, at timestamptz);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE part (id int, k text, v int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (50);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (50) TO (200) PARTITION BY LIST (k);
CREATE TABLE part2a PARTITION OF part2 FOR VALUES IN ('a', 'b');
CREATE TABLE part2z PARTITION OF part2 DEFAULT;
CREATE TABLE base (id int PRIMARY KEY, a int, b varchar(5));
CREATE TABLE kid (extra text) INHERITS (base);
"""
ROWS = (
    'INSERT INTO "My Schema"."Par""ent" SELECT generate_series(1, 100)',
    """INSERT INTO "My Schema"."Tab le's" SELECT n, n, n, n FROM generate_series(1, 100) AS n""",
    "INSERT INTO own SELECT n, nullif(n - 1, 0), n, n FROM generate_series(1, 100) AS n",
    "INSERT INTO two SELECT n, n % 7, n FROM generate_series(1, 100) AS n",
    "INSERT INTO stamped SELECT n, '2020-01-01' FROM generate_series(1, 100) AS n",
    "INSERT INTO part SELECT n, chr(97 + n % 5), n FROM generate_series(0, 199) AS n",
    "INSERT INTO base SELECT n, n, n FROM generate_series(1, 100) AS n",
    "INSERT INTO kid SELECT n, n, n, 'x' FROM generate_series(101, 200) AS n",
    "ANALYZE",
)
CHANGES = """
CREATE INDEX "New Index" ON "My Schema"."Tab le's" (lower("Ä") DESC NULLS LAST, "select") WHERE "Id" > 3;
DROP INDEX "My Schema"."Old Index";
ALTER TABLE "My Schema"."Tab le's" ADD CONSTRAINT "Weird ""Name" UNIQUE ("select") DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "My Schema"."Tab le's" ADD CONSTRAINT "Fk" FOREIGN KEY ("P") REFERENCES "My Schema"."Par""ent" DEFERRABLE;
ALTER TABLE "My Schema"."Tab le's" ADD "New" int REFERENCES "My Schema"."Par""ent" CHECK ("New" > 0) UNIQUE;
ALTER TABLE "My Schema"."Tab le's" ADD "S e" serial;
ALTER TABLE "My Schema"."Tab le's" RENAME TO "Other";
ALTER TABLE "My Schema"."Other" ALTER "Ä" SET NOT NULL, ADD CHECK ("select" <> 'it''s');
ALTER TABLE own ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES own DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE own ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b), ADD CHECK (a > 0), ADD CHECK (b > 0);
ALTER TABLE own ADD i smallint GENERATED ALWAYS AS IDENTITY UNIQUE;
ALTER TABLE two DROP CONSTRAINT two_pkey, ADD PRIMARY KEY (a);
ALTER TABLE two ADD CONSTRAINT c FOREIGN KEY (c) REFERENCES own (a) ON UPDATE CASCADE;
ALTER TABLE stamped ADD n serial;
CREATE INDEX ON part (v);
CREATE INDEX part1_own ON part1 (v, k);
CREATE INDEX ON part (v, k);
CREATE INDEX ON part (v) WHERE v > 1;
CREATE INDEX part2_lower ON part2 (lower(k), (v + 1), lower(k || 'x'));
CREATE INDEX ON part (lower(k), (v + 1), lower(k || 'x'));
ALTER TABLE part ADD w int DEFAULT 5 NOT NULL CHECK (w > 0);
ALTER TABLE base ALTER a SET NOT NULL;
ALTER TABLE base ALTER b TYPE text;
"""


def test_the_end_is_what_psql_makes_of_it(each_server: Databases, chain: MakeChain) -> None:
    folder = chain({"001_base.sql": BASE, "002_changes.sql": CHANGES})
    url, written = filled(each_server, folder, *ROWS), each_server.create()
    execute(written, BASE, *ROWS, *CHANGES.strip().splitlines())

    report = trueup.up(url, folder, options=IN_SAFE_FORMS)

    assert report.true
    assert len(report.sent) + 30 < sum(len(step.parts) for step in report.sent)
    assert dump(written) == dump(url)
    assert row_digests(written, columns(written)) == row_digests(url, columns(written))


def test_a_key_that_goes_on_the_way_divides_no_work(databases: Databases, chain: MakeChain) -> None:
    changes = "ALTER TABLE two DROP CONSTRAINT two_pkey;\nALTER TABLE two ADD n serial;"
    folder = chain({"001_base.sql": BASE, "002_changes.sql": changes})
    url = filled(databases, folder, *ROWS)

    with pytest.raises(trueup.ConflictError) as caught:
        trueup.up(url, folder, options=IN_SAFE_FORMS)

    assert "without a primary key" in caught.value.conflicts[0].why
    assert [(1,)] == rows(url, "SELECT count(*) FROM pg_constraint WHERE conname = 'two_pkey'")


def test_triggers_that_we_cannot_keep_still_are_for_a_person_to_decide(databases: Databases, chain: MakeChain) -> None:
    changes = "ALTER TABLE stamped ADD n serial;"
    folder = chain({"001_base.sql": BASE, "002_changes.sql": changes})
    url = filled(databases, folder, *ROWS, "ALTER TABLE stamped ENABLE ALWAYS TRIGGER stamp")

    with pytest.raises(trueup.ConflictError) as caught:
        trueup.up(url, folder, options=IN_SAFE_FORMS)

    assert "stamp would fire for each row" in caught.value.conflicts[0].why
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM stamped WHERE at > '2020-01-01'").fetchone() == (0,)
