"""Statements of later files were run by hand, and steps before them know nothing of that."""

from __future__ import annotations

import pytest

from trueup_testing.chains import MakeChain
from trueup_testing.command import Run
from trueup_testing.databases import Databases, execute, rows
from trueup_testing.schema import dump

pytestmark = pytest.mark.acceptance

FIRST = {
    "001_leads.sql": "CREATE TYPE mood AS ENUM ('good', 'bad', 'odd');\n"
    "CREATE TABLE leads (id int PRIMARY KEY, name text NOT NULL, phone varchar(20), mood mood DEFAULT 'good');"
}
ROWS = "INSERT INTO leads SELECT n, 'lead ' || n, n::text FROM generate_series(1, 20) n"

SWAP = (
    "ALTER TYPE kind RENAME TO kind_old;\nCREATE TYPE kind AS ENUM ({labels});\n"
    "ALTER TABLE calls ALTER kind TYPE kind USING kind::text::kind;\nDROP TYPE kind_old;"
)

MOVE = (
    "BEGIN;\nCREATE TYPE kind_new AS ENUM ({labels});\n"
    "ALTER TABLE calls ALTER kind TYPE kind_new USING kind::text::kind_new;\n"
    "ALTER TYPE kind RENAME TO kind_old;\nALTER TYPE kind_new RENAME TO kind;\nDROP TYPE kind_old;\nCOMMIT;"
)

SWAPPED_TABLE = (
    "ALTER TABLE leads RENAME TO leads_old;\n"
    "CREATE TABLE leads (id bigint PRIMARY KEY, name text NOT NULL, phone text, mood mood, a int, b int, c int);\n"
    "INSERT INTO leads SELECT id, name, phone, mood FROM leads_old;\nDROP TABLE leads_old;"
)

EARLY: dict[str, tuple[list[str], list[int | str]]] = {
    "a column of a table that is swapped within one block": (
        [f"BEGIN;\n{SWAPPED_TABLE}\nCOMMIT;", "ALTER TABLE leads ADD more int;\nCREATE INDEX more ON leads (more);"],
        [1],
    ),
    "an index, in the middle of the block that swaps its table": (
        [
            "CREATE TABLE calls (lead int, CONSTRAINT of_a_lead FOREIGN KEY (lead) REFERENCES leads (id));",
            f"BEGIN;\nALTER TABLE calls DROP CONSTRAINT of_a_lead;\n{SWAPPED_TABLE}\nCOMMIT;",
            "CREATE UNIQUE INDEX leads_name ON leads (name);",
        ],
        [0, "ALTER TABLE calls DROP CONSTRAINT of_a_lead", 2],
    ),
    "a table that is renamed away, for another of its name, before its file has run": (
        [
            "".join(f"CREATE TABLE other{n} (id int);\n" for n in range(5)),
            (
                "CREATE TABLE days (id int PRIMARY KEY, at date);\nALTER TABLE days ENABLE ROW LEVEL SECURITY;\n"
                "CREATE INDEX days_at ON days (at);\nCREATE POLICY seen ON days USING (true);"
            ),
            (
                "ALTER TABLE days RENAME TO days_old;\nALTER INDEX days_pkey RENAME TO days_old_pkey;\n"
                "ALTER INDEX days_at RENAME TO days_old_at;\n"
                "CREATE TABLE days (id int, at date, CONSTRAINT days_pkey PRIMARY KEY (id, at)) PARTITION BY RANGE (at);\n"
                "ALTER TABLE days ENABLE ROW LEVEL SECURITY;\nCREATE INDEX days_at ON days (at);\n"
                "CREATE POLICY seen ON days USING (true);\nINSERT INTO days SELECT * FROM days_old;\nDROP TABLE days_old;"
            ),
        ],
        ["CREATE TABLE days (id int PRIMARY KEY, at date)"],
    ),
    "a foreign key of a later table to one that is swapped": (
        [SWAPPED_TABLE, "CREATE TABLE calls (lead bigint REFERENCES leads (id));"],
        ["CREATE TABLE calls (lead bigint REFERENCES leads (id))"],
    ),
    "a column renamed": (
        [
            "CREATE INDEX leads_phone ON leads (phone);",
            "UPDATE leads SET phone = '0' || phone WHERE phone < '2';",
            "ALTER TABLE leads ALTER phone TYPE text, ADD CHECK (phone <> '');",
            "ALTER TABLE leads RENAME phone TO number;",
            "CREATE VIEW numbers AS SELECT number FROM leads;",
        ],
        [3],
    ),
    "a function of the name of one that is dropped without its arguments": (
        [
            "CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';",
            "COMMENT ON FUNCTION twice IS 'two of it';",
            "DROP FUNCTION twice;",
            "CREATE FUNCTION twice(text) RETURNS text LANGUAGE sql AS 'SELECT $1 || $1';",
            "COMMENT ON FUNCTION twice IS 'one behind the other';",
        ],
        [3],
    ),
    "a view of all columns, where a step before adds one and another takes one away": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            "ALTER TABLE leads ADD COLUMN age int;\nALTER TABLE leads DROP COLUMN phone;",
            "CREATE VIEW people AS SELECT leads.*, calls.id AS call FROM leads LEFT JOIN calls USING (id);",
            "CREATE TABLE notes (id int PRIMARY KEY);",
        ],
        [0, 2],
    ),
    "a default of all parts of a table that is replaced": (
        [
            (
                "CREATE TABLE calls (id int, length int DEFAULT 1) PARTITION BY RANGE (id);\n"
                "CREATE TABLE few PARTITION OF calls DEFAULT;"
            ),
            "CREATE TABLE notes (id int PRIMARY KEY);\nCREATE TABLE texts (id int PRIMARY KEY);",
            (
                "CREATE TABLE calls_new (id int, length int DEFAULT 1);\nINSERT INTO calls_new SELECT * FROM calls;\n"
                "ALTER TABLE calls RENAME TO calls_old;\nALTER TABLE calls_new RENAME TO calls;\nDROP TABLE calls_old;"
            ),
            "ALTER TABLE calls ALTER length SET DEFAULT 2;",
        ],
        [0, 3],
    ),
    "a table renamed away as in the middle of a block that makes it anew": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY, lead int CONSTRAINT calls_lead REFERENCES leads);",
            "INSERT INTO leads (id, name) VALUES (21, 'last');",
            (
                "BEGIN;\nALTER TABLE calls DROP CONSTRAINT calls_lead;\nALTER TABLE leads RENAME TO leads_old;\n"
                "ALTER TABLE leads_old RENAME CONSTRAINT leads_pkey TO leads_old_pkey;\n"
                "CREATE TABLE leads (id int PRIMARY KEY, name varchar(90));\n"
                "INSERT INTO leads SELECT id, name FROM leads_old;\nDROP TABLE leads_old;\n"
                "ALTER TABLE calls ADD CONSTRAINT calls_lead FOREIGN KEY (lead) REFERENCES leads;\nCOMMIT;"
            ),
            "CREATE TABLE notes (id int PRIMARY KEY);",
        ],
        ["ALTER TABLE leads RENAME TO leads_old", 3],
    ),
    "a serial that is made an identity": (
        [
            "CREATE TABLE calls (id serial PRIMARY KEY);",
            "".join(f"CREATE TABLE other{n} (id int);\n" for n in range(3)),
            (
                "ALTER TABLE calls ALTER id DROP DEFAULT;\nDROP SEQUENCE calls_id_seq;\n"
                "ALTER TABLE calls ALTER id ADD GENERATED ALWAYS AS IDENTITY;"
            ),
        ],
        [0, 2],
    ),
    "a table and then its column renamed, as in the middle of a block": (
        [
            (
                "CREATE TABLE notes (id int PRIMARY KEY, word text);\n"
                "CREATE TABLE calls (id int PRIMARY KEY, note int NOT NULL REFERENCES notes (id));"
            ),
            "ALTER TABLE calls ADD length int;",
            (
                "BEGIN;\nALTER TABLE notes RENAME TO texts;\nALTER TABLE texts RENAME word TO title;\n"
                "ALTER TABLE calls RENAME TO talks;\nALTER TABLE talks RENAME note TO text;\nCOMMIT;"
            ),
        ],
        [0, "ALTER TABLE calls RENAME TO talks", "ALTER TABLE talks RENAME note TO text"],
    ),
    "a type renamed away in a block, as a single step has done before": (
        [
            "CREATE TYPE kind AS ENUM ('a', 'b');\nCREATE TABLE calls (id int PRIMARY KEY, kind kind);",
            SWAP.format(labels="'a', 'b', 'c'"),
            "ALTER TABLE calls ADD other kind;\nALTER TABLE calls DROP other;",
            "BEGIN;\n" + SWAP.format(labels="'a', 'b'") + "\nCOMMIT;",
        ],
        [0, 1, "ALTER TYPE kind RENAME TO kind_old"],
    ),
    "a column of a table that gets another part": (
        [
            "CREATE TABLE calls (id int) PARTITION BY RANGE (id);",
            "CREATE TABLE few PARTITION OF calls DEFAULT;",
            "ALTER TABLE calls ADD COLUMN length int NOT NULL DEFAULT 1;",
        ],
        [0, 2],
    ),
    "a type renamed away that is made anew twice": (
        [
            "CREATE TYPE kind AS ENUM ('a');\nCREATE TABLE calls (id int PRIMARY KEY, kind kind NOT NULL);",
            "".join(f"CREATE TABLE other{n} (id int);\n" for n in range(3)),
            SWAP.format(labels="'a', 'b'"),
            "CREATE TABLE more (id int);",
            SWAP.format(labels="'a', 'b', 'c'"),
        ],
        [0, "ALTER TYPE kind RENAME TO kind_old"],
    ),
    "a type renamed away behind another that is to come in its place": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY, moods mood[]);",
            "CREATE TABLE more (id int);",
            (
                "CREATE TYPE mood_new AS ENUM ('good', 'bad');\nALTER TABLE leads ALTER mood DROP DEFAULT;\n"
                "ALTER TABLE leads ALTER mood TYPE mood_new USING mood::text::mood_new;\n"
                "ALTER TABLE calls ALTER moods TYPE mood_new[] USING moods::text::mood_new[];\n"
                "ALTER TYPE mood RENAME TO mood_old;\nALTER TYPE mood_new RENAME TO mood;\nDROP TYPE mood_old;"
            ),
        ],
        [0, "ALTER TYPE mood RENAME TO mood_old"],
    ),
    "a type renamed away as in the middle of a block": (
        [
            "CREATE FUNCTION is_odd(mood) RETURNS boolean LANGUAGE sql AS $$SELECT $1::text = 'odd'$$;",
            "CREATE TABLE calls (id int PRIMARY KEY, moods mood[]);",
            "DROP FUNCTION is_odd;",
            (
                "BEGIN;\nCREATE TYPE mood_new AS ENUM ('good', 'bad');\nALTER TABLE leads ALTER mood DROP DEFAULT;\n"
                "ALTER TABLE leads ALTER mood TYPE mood_new USING mood::text::mood_new;\n"
                "ALTER TABLE calls ALTER moods TYPE mood_new[] USING moods::text::mood_new[];\n"
                "ALTER TYPE mood RENAME TO mood_old;\nALTER TYPE mood_new RENAME TO mood;\nDROP TYPE mood_old;\n"
                "ALTER TABLE leads ALTER mood SET DEFAULT 'good';\nCOMMIT;"
            ),
        ],
        [0, "ALTER TYPE mood RENAME TO mood_old"],
    ),
    "a column of a table that a block drops and makes anew": (
        [
            "BEGIN;\nDROP TABLE leads;\nCREATE TABLE leads (id int PRIMARY KEY, phone text);\nCOMMIT;",
            "ALTER TABLE leads ADD age int;\nUPDATE leads SET age = 1;",
        ],
        ["ALTER TABLE leads ADD age int"],
    ),
    "a column of a table that is dropped and made anew": (
        [
            "DROP TABLE leads;",
            "CREATE TABLE leads (id text PRIMARY KEY);",
            "ALTER TABLE leads ADD fax text NOT NULL DEFAULT '';",
            "ALTER TABLE leads DROP fax, ADD mail text;",
            "CREATE VIEW ids AS SELECT id FROM leads;",
        ],
        [2, 4],
    ),
    "a type of a column of a table that is swapped": (
        [
            (
                "CREATE TABLE swap (id int PRIMARY KEY, phone varchar(20));\n"
                "INSERT INTO swap SELECT id, phone FROM leads;\nDROP TABLE leads;\nALTER TABLE swap RENAME TO leads;"
            ),
            "ALTER TABLE leads ALTER phone TYPE text;",
            "CREATE VIEW phones AS SELECT id, phone FROM leads;\nCREATE VIEW ids AS SELECT id FROM phones;",
        ],
        [1, 2],
    ),
    "a column that its file fills before it is NOT NULL": (
        [
            (
                "ALTER TABLE leads ADD hint text;\nUPDATE leads SET hint = coalesce(phone, '?');\n"
                "ALTER TABLE leads ALTER hint SET NOT NULL;"
            ),
            "CREATE TABLE calls (id int PRIMARY KEY, a int, b int NOT NULL, c int NOT NULL);",
            "CREATE TABLE other (id int);",
        ],
        ["ALTER TABLE leads ADD hint text", 1],
    ),
    "what the server writes anew where columns get other types": (
        [
            "ALTER TABLE leads ALTER name TYPE varchar, ALTER phone TYPE text;",
            "CREATE INDEX leads_lower ON leads (lower(name));\nALTER TABLE leads ADD CHECK (name <> phone);",
            "ALTER TABLE leads ALTER name SET DEFAULT 'x';",
        ],
        [1, 2],
    ),
    "a table as a block makes it anew that was made before": (
        [
            "CREATE TABLE keys (id int PRIMARY KEY, key text CHECK (length(key) = 33));",
            (
                "BEGIN;\nDROP TABLE keys;\nDROP TABLE leads;\nCREATE TABLE leads (id int);\n"
                "CREATE TABLE keys (id int PRIMARY KEY, key text CHECK (length(key) = 32));\nCOMMIT;"
            ),
        ],
        ["CREATE TABLE keys (id int PRIMARY KEY, key text CHECK (length(key) = 32))"],
    ),
    "a constraint without a name that takes the place of one that is dropped": (
        [
            "CREATE TABLE calls (id int, lead_id int REFERENCES leads (id));\nCREATE INDEX ON calls (id);",
            "CREATE TABLE other (id int);",
            "ALTER TABLE calls DROP CONSTRAINT calls_lead_id_fkey;\nDROP INDEX calls_id_idx;",
            (
                "ALTER TABLE calls ADD FOREIGN KEY (lead_id) REFERENCES leads (id) ON DELETE CASCADE;\n"
                "CREATE INDEX ON calls (id) WHERE id > 0;"
            ),
            (
                "ALTER TABLE calls DROP CONSTRAINT calls_lead_id_fkey;\n"
                "ALTER TABLE calls ADD FOREIGN KEY (lead_id) REFERENCES leads (id) ON DELETE CASCADE;"
            ),
        ],
        [0, 3],
    ),
    "a column renamed twice, and used under its last name": (
        [
            "CREATE VIEW numbers AS SELECT phone FROM leads;",
            "ALTER TABLE leads RENAME phone TO number;",
            "ALTER TABLE leads RENAME number TO fax;",
            "CREATE INDEX leads_fax ON leads (fax);",
        ],
        [1, 2, 3],
    ),
    "a table renamed": (
        [
            "ALTER TABLE leads ADD COLUMN age int NOT NULL DEFAULT 0;",
            "CREATE TABLE calls (lead_id int REFERENCES leads);",
            "ALTER TABLE leads RENAME TO people;",
            "ALTER TABLE people RENAME phone TO number;",
        ],
        [2, 3],
    ),
    "a column that a block fills and then puts in the place of another": (
        [
            (
                "BEGIN;\nALTER TABLE leads ADD phones text[];\nUPDATE leads SET phones = ARRAY[phone];\n"
                "ALTER TABLE leads DROP phone;\nALTER TABLE leads RENAME phones TO phone;\nCOMMIT;"
            ),
        ],
        ["ALTER TABLE leads ADD phones text[]"],
    ),
    "a default that a block sets and takes away again": (
        [
            (
                "BEGIN;\nALTER TABLE leads ADD age int NOT NULL DEFAULT 1;\n"
                "ALTER TABLE leads ALTER age DROP DEFAULT;\nCOMMIT;"
            ),
            "CREATE TABLE calls (id int);",
        ],
        ["ALTER TABLE leads ADD age int NOT NULL DEFAULT 1"],
    ),
    "a constraint renamed that is replaced before": (
        [
            "ALTER TABLE leads ADD CONSTRAINT named CHECK (name <> '');",
            "CREATE TABLE calls (id int);",
            "ALTER TABLE leads DROP CONSTRAINT named;\nALTER TABLE leads ADD CONSTRAINT named CHECK (name <> ' ');",
            "ALTER TABLE leads RENAME CONSTRAINT named TO has_name;",
        ],
        [0, 3],
    ),
    "a table with a type that is swapped": (
        [
            (
                "BEGIN;\nCREATE TYPE mood_new AS ENUM ('good', 'bad');\n"
                "ALTER TABLE leads ALTER mood DROP DEFAULT, ALTER mood TYPE mood_new USING mood::text::mood_new;\n"
                "ALTER TYPE mood RENAME TO mood_old;\nALTER TYPE mood_new RENAME TO mood;\nDROP TYPE mood_old;\n"
                "ALTER TABLE leads ALTER mood SET DEFAULT 'good';\nCOMMIT;"
            ),
            (
                "CREATE TABLE calls (id int, mood mood NOT NULL DEFAULT 'bad', moods mood[]);\n"
                "CREATE INDEX calls_mood ON calls (mood);"
            ),
        ],
        [1],
    ),
    "a foreign key to a table that is swapped": (
        [
            (
                "BEGIN;\nCREATE TABLE leads_new (id bigint PRIMARY KEY, name text NOT NULL);\n"
                "INSERT INTO leads_new SELECT id, name FROM leads;\nDROP TABLE leads;\n"
                "ALTER TABLE leads_new RENAME TO leads;\n"
                "ALTER TABLE leads RENAME CONSTRAINT leads_new_pkey TO leads_pkey;\nCOMMIT;"
            ),
            "CREATE TABLE calls (lead_id bigint CONSTRAINT calls_lead REFERENCES leads ON DELETE CASCADE);",
        ],
        [1],
    ),
    "a view of a column that gets another type": (
        [
            "ALTER TABLE leads ALTER id TYPE bigint;",
            "CREATE VIEW ids AS SELECT name FROM leads WHERE id > 0;\nCOMMENT ON VIEW ids IS 'all of them';",
        ],
        [1],
    ),
    "what a block only needs on its way": (
        [
            (
                "BEGIN;\nCREATE TYPE mood_new AS ENUM ('good', 'bad');\n"
                "DELETE FROM leads WHERE mood = 'odd';\n"
                "ALTER TABLE leads ALTER mood DROP DEFAULT, ALTER mood TYPE mood_new USING mood::text::mood_new;\n"
                "ALTER TYPE mood RENAME TO mood_old;\nALTER TYPE mood_new RENAME TO mood;\nDROP TYPE mood_old;\nCOMMIT;"
            ),
        ],
        ["CREATE TYPE mood_new AS ENUM ('good', 'bad')"],
    ),
    "a function that reads what is not there yet": (
        [
            (
                "CREATE FUNCTION mend() RETURNS void LANGUAGE sql BEGIN ATOMIC UPDATE leads SET phone = name; END;\n"
                "CREATE FUNCTION mend(at int) RETURNS void LANGUAGE plpgsql AS 'BEGIN UPDATE leads SET phone = at; END';"
            ),
            "ALTER TABLE leads ADD COLUMN age int;\nSELECT mend(7);",
            "ALTER TABLE leads ADD COLUMN fax text;",
            (
                "CREATE OR REPLACE FUNCTION mend(at int) RETURNS void LANGUAGE plpgsql AS "
                "'BEGIN UPDATE leads SET fax = at; END';"
            ),
        ],
        [0, 3],
    ),
    "an index that goes with a column, and is another one already": (
        [
            "CREATE UNIQUE INDEX leads_name ON leads (name, phone);",
            "ALTER TABLE leads DROP COLUMN phone;",
            "CREATE UNIQUE INDEX leads_name ON leads (name);",
            "CREATE TABLE calls (id int);",
        ],
        [1, 2],
    ),
    "the second half of a block that sets defaults only for a moment": (
        [
            (
                "BEGIN;\nALTER TABLE leads ADD age int NOT NULL DEFAULT 1, ADD size int NOT NULL DEFAULT 2;\n"
                "ALTER TABLE leads ALTER age DROP DEFAULT, ALTER size DROP DEFAULT;\n"
                "ALTER TABLE leads ADD fax text NOT NULL DEFAULT '';\nALTER TABLE leads ALTER fax DROP DEFAULT;\nCOMMIT;"
            ),
        ],
        ["ALTER TABLE leads ADD fax text NOT NULL DEFAULT ''", "ALTER TABLE leads ALTER fax DROP DEFAULT"],
    ),
    "a label renamed": (
        [
            "ALTER TYPE mood ADD VALUE 'sad' AFTER 'good';",
            "CREATE TABLE visits (id int PRIMARY KEY, lead_id int NOT NULL, at date NOT NULL);",
            "UPDATE leads SET mood = 'odd' WHERE mood = 'good' AND id < 5;",
            "ALTER TYPE mood RENAME VALUE 'good' TO 'fine';",
            "CREATE TABLE calls (id int PRIMARY KEY, mood mood DEFAULT 'fine');",
            "ALTER TYPE mood RENAME VALUE 'fine' TO 'well';",
        ],
        [3, 5],
    ),
    "labels of an enum that is swapped behind them": (
        [
            "ALTER TYPE mood ADD VALUE 'sad';",
            "ALTER TYPE mood ADD VALUE 'mad';",
            (
                "BEGIN;\nCREATE TYPE mood_new AS ENUM ('good', 'mad');\n"
                "ALTER TABLE leads ALTER mood DROP DEFAULT, ALTER mood TYPE mood_new USING mood::text::mood_new;\n"
                "DROP TYPE mood;\nALTER TYPE mood_new RENAME TO mood;\nCOMMIT;"
            ),
        ],
        [1],
    ),
    "two columns that one statement drops, of which one is used before": (
        [
            "ALTER TABLE leads ADD COLUMN fax text;\nCREATE UNIQUE INDEX leads_fax ON leads (fax);",
            "CREATE TABLE calls (id int PRIMARY KEY, lead_id int REFERENCES leads (id));",
            "ALTER TABLE leads ALTER phone SET DEFAULT '-';",
            "DROP INDEX leads_fax;",
            "ALTER TABLE leads DROP COLUMN phone, DROP COLUMN fax;",
        ],
        [0, 4],
    ),
    "a column, before its rows are filled and beside one of the next file": (
        [
            "ALTER TABLE leads ADD COLUMN called text;\nUPDATE leads SET called = upper(name);",
            "ALTER TABLE leads ADD COLUMN fax text;",
            "ALTER TABLE leads ADD COLUMN age int;",
        ],
        ["ALTER TABLE leads ADD COLUMN called text", 1],
    ),
    "one type of two that an index is on": (
        [
            "ALTER TABLE leads ADD COLUMN age int, ADD COLUMN size int;\nCREATE INDEX i ON leads (COALESCE(age, size));",
            "ALTER TABLE leads ALTER size TYPE bigint;",
            "ALTER TABLE leads ALTER age TYPE bigint;",
            "CREATE TABLE calls (id int PRIMARY KEY);",
        ],
        [0, 2],
    ),
    "three labels, the last one first": (
        [
            "ALTER TYPE mood ADD VALUE 'sad';\nALTER TYPE mood ADD VALUE 'mad';",
            "ALTER TYPE mood ADD VALUE 'dull';\nALTER TYPE mood ADD VALUE 'well' BEFORE 'sad';",
        ],
        ["ALTER TYPE mood ADD VALUE 'dull'", "ALTER TYPE mood ADD VALUE 'mad'"],
    ),
    "a column that the chain had before": (
        [
            "ALTER TABLE leads ADD COLUMN fax text;\nCREATE TABLE old (id int PRIMARY KEY);",
            "ALTER TABLE leads DROP COLUMN fax;\nDROP TABLE old;",
            "ALTER TABLE leads ADD COLUMN age int;\nCREATE TABLE calls (id int PRIMARY KEY);",
            "CREATE TABLE others (id int PRIMARY KEY);",
            "ALTER TABLE leads ADD COLUMN fax text;\nCREATE INDEX leads_fax ON leads (fax);",
            "CREATE TABLE later (id int PRIMARY KEY);",
        ],
        [0, 1, 2, 4],
    ),
    "an enum without a label, before rows lose it": (
        [
            "UPDATE leads SET mood = 'good' WHERE mood = 'odd';",
            "CREATE TABLE calls (id int PRIMARY KEY);",
            (
                "BEGIN;\nCREATE TYPE mood_new AS ENUM ('good');\n"
                "ALTER TABLE leads ALTER mood DROP DEFAULT, ALTER mood TYPE mood_new USING mood::text::mood_new;\n"
                "DROP TYPE mood;\nALTER TYPE mood_new RENAME TO mood;\nCOMMIT;"
            ),
            "CREATE TABLE later (id int PRIMARY KEY);",
        ],
        [2],
    ),
    "a serial key that is dropped for another": (
        [
            "CREATE TABLE calls (id serial PRIMARY KEY, name text, at date);\nCREATE INDEX i ON calls (at);",
            "CREATE INDEX IF NOT EXISTS i ON calls (at);\nCREATE TABLE notes (id int);",
            "DROP INDEX IF EXISTS i;",
            "ALTER TABLE calls DROP COLUMN id;\nALTER TABLE calls ADD PRIMARY KEY (name, at);",
            "CREATE TABLE later (id int);",
        ],
        [0, 2, "ALTER TABLE calls DROP COLUMN id", "ALTER TABLE calls ADD PRIMARY KEY (name, at)"],
    ),
    "a table, and a column of it gone again": (
        [
            "CREATE TABLE notes (id int);",
            "CREATE TABLE calls (id int PRIMARY KEY, at date NOT NULL, fax int DEFAULT 7);",
            "ALTER TABLE calls ADD COLUMN day int, DROP COLUMN at;\nALTER TABLE calls DROP COLUMN fax;",
            "CREATE TABLE later (id int);",
        ],
        [1, 2],
    ),
    "a column that is filled, dropped and made anew": (
        [
            "ALTER TABLE leads ADD COLUMN fax text;\nUPDATE leads SET fax = '-';\nALTER TABLE leads DROP COLUMN fax;",
            "CREATE TABLE calls (id int PRIMARY KEY);",
            "ALTER TABLE leads ADD COLUMN fax text;",
            "CREATE TABLE later (id int PRIMARY KEY);",
        ],
        [2],
    ),
    "a column and a name out of the middle of a block": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            (
                "BEGIN;\nALTER TABLE leads ADD COLUMN hot boolean DEFAULT false;\nUPDATE leads SET hot = true WHERE id > 5;\n"
                "ALTER TABLE leads ADD COLUMN fax text;\nUPDATE leads SET fax = phone;\n"
                "ALTER INDEX leads_pkey RENAME TO leads_key;\nCREATE INDEX leads_fax ON leads (fax);\nCOMMIT;"
            ),
            "CREATE TABLE later (id int PRIMARY KEY);",
        ],
        ["ALTER TABLE leads ADD COLUMN fax text", "ALTER INDEX leads_pkey RENAME TO leads_key"],
    ),
    "what a block makes on its way, and one before it, too": (
        [
            "CREATE TYPE kind AS ENUM ('a', 'b');\nCREATE TABLE calls (id int PRIMARY KEY, kind kind);",
            MOVE.format(labels="'a', 'b', 'c'"),
            "CREATE TABLE more (id int);",
            MOVE.format(labels="'a', 'c'"),
            "CREATE TABLE later (id int);",
        ],
        [0, "CREATE TYPE kind_new AS ENUM ('a', 'c')"],
    ),
    "a swap that is left behind its third statement, with others before it": (
        [
            "CREATE TYPE kind AS ENUM ('a', 'b');\nCREATE TABLE calls (id int PRIMARY KEY, kind kind NOT NULL);",
            "".join(f"CREATE TABLE other{n} (id int);\n" for n in range(4)),
            MOVE.format(labels="'a'"),
        ],
        [0, *MOVE.format(labels="'a'").split(";\n")[1:4]],
    ),
    "a swap of which only the new type and the old one's other name are there, with others before it": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            "".join(f"CREATE TABLE other{n} (id int);\n" for n in range(4)),
            (
                "BEGIN;\nUPDATE leads SET mood = 'bad' WHERE mood = 'odd';\nCREATE TYPE mood_new AS ENUM ('good', 'bad');\n"
                "ALTER TABLE leads ALTER mood DROP DEFAULT, ALTER mood TYPE mood_new USING mood::text::mood_new;\n"
                "ALTER TYPE mood RENAME TO mood_old;\nALTER TYPE mood_new RENAME TO mood;\nDROP TYPE mood_old;\nCOMMIT;"
            ),
        ],
        [0, "ALTER TYPE mood RENAME TO mood_old", "CREATE TYPE mood_new AS ENUM ('good', 'bad')"],
    ),
    "a computed column and what it reads, to make it anew, with others before it": (
        [
            (
                "CREATE TABLE calls (id int PRIMARY KEY, name text NOT NULL, found tsvector NOT NULL\n"
                "GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED);\nCREATE INDEX ON calls (found);"
            ),
            "CREATE TABLE notes (id int PRIMARY KEY, text text);",
            "".join(f"CREATE TABLE other{n} (id int);\n" for n in range(4)),
            (
                "ALTER TABLE calls DROP found;\nALTER TABLE calls DROP name;\nALTER TABLE calls ADD found tsvector;\n"
                "CREATE INDEX ON calls (found);"
            ),
        ],
        [0, 1, "ALTER TABLE calls DROP found", "ALTER TABLE calls DROP name"],
    ),
    "a computed column and what it reads, to make it anew, of a table that is early": (
        [
            (
                "CREATE TABLE calls (id int PRIMARY KEY, name text NOT NULL, found tsvector NOT NULL\n"
                "GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED);\nCREATE INDEX ON calls (found);"
            ),
            "".join(f"CREATE TABLE other{n} (id int);\n" for n in range(4)),
            (
                "ALTER TABLE calls DROP found;\nALTER TABLE calls DROP name;\nALTER TABLE calls ADD found tsvector;\n"
                "CREATE INDEX ON calls (found);"
            ),
        ],
        [0, "ALTER TABLE calls DROP found", "ALTER TABLE calls DROP name"],
    ),
    "the first half of a swap, and a label of the old enum missing": (
        [
            "ALTER TYPE mood ADD VALUE 'new';",
            (
                "BEGIN;\nALTER TYPE mood RENAME TO mood_old;\nCREATE TYPE mood AS ENUM ('fine', 'new');\n"
                "ALTER TABLE leads ALTER mood DROP DEFAULT;\n"
                "ALTER TABLE leads ALTER mood TYPE mood USING (CASE WHEN mood::text = 'good' THEN 'fine' END::mood);\n"
                "DROP TYPE mood_old;\nCOMMIT;\nALTER TABLE leads ALTER mood SET DEFAULT 'fine';"
            ),
            "CREATE TABLE later (id int);",
        ],
        ["ALTER TYPE mood RENAME TO mood_old", "CREATE TYPE mood AS ENUM ('fine', 'new')"],
    ),
    "a label renamed, before what names it": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            "ALTER TABLE calls ADD mood mood DEFAULT 'odd';\nUPDATE leads SET mood = 'odd' WHERE id > 9;",
            "CREATE VIEW odd AS SELECT id FROM leads WHERE mood = 'odd';",
            "ALTER TYPE mood RENAME VALUE 'odd' TO 'strange';",
        ],
        [3],
    ),
    "a column without values, and what is on it, of a table that is swapped for another": (
        [
            "".join(f"CREATE TABLE other{n} (id int);\n" for n in range(9)),
            (
                "ALTER TABLE leads RENAME TO was;\nALTER TABLE was RENAME CONSTRAINT leads_pkey TO was_pkey;\n"
                "CREATE TABLE leads (id bigint PRIMARY KEY, name text, phone text, mood mood);\n"
                "INSERT INTO leads SELECT * FROM was;\nDROP TABLE was;"
            ),
            "ALTER TABLE leads ADD COLUMN fax boolean NOT NULL DEFAULT false;",
            "CREATE INDEX leads_fax ON leads (fax);\nALTER TABLE leads ADD UNIQUE (name);",
        ],
        [2, 3],
    ),
    "a column for another, which a later step makes anew with another type": (
        [
            "CREATE TABLE more (id int);",
            "ALTER TABLE leads ADD COLUMN fax boolean NOT NULL DEFAULT false;",
            "ALTER TABLE leads DROP COLUMN fax, ADD COLUMN pages text;",
            "ALTER TABLE leads DROP COLUMN pages, ADD COLUMN pages int;",
            "CREATE TABLE last (id int);",
        ],
        [1, 2, 3],
    ),
    "a column, and another in its place": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            "ALTER TABLE leads ADD COLUMN fax text NOT NULL DEFAULT '-';",
            "UPDATE leads SET name = fax || name;",
            "ALTER TABLE leads DROP COLUMN fax, ADD COLUMN mail text;",
            "CREATE TABLE later (id int);",
        ],
        [1, 3],
    ),
    "a label, before its enum is swapped for another": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            (
                "BEGIN;\nCREATE TYPE mood_new AS ENUM ('good', 'odd', 'new');\n"
                "ALTER TABLE leads ALTER mood DROP DEFAULT, ALTER mood TYPE mood_new USING mood::text::mood_new;\n"
                "DROP TYPE mood;\nALTER TYPE mood_new RENAME TO mood;\nCOMMIT;"
            ),
            "ALTER TYPE mood ADD VALUE 'late';",
            "CREATE TABLE later (id int PRIMARY KEY);",
        ],
        [2],
    ),
    "a default, before its enum's labels change their order": (
        [
            "CREATE TYPE kind AS ENUM ('a', 'b');\nCREATE TABLE calls (id int PRIMARY KEY, kind kind);",
            (
                "BEGIN;\nCREATE TYPE kind_new AS ENUM ('b', 'a');\n"
                "ALTER TABLE calls ALTER kind DROP DEFAULT, ALTER kind TYPE text;\n"
                "DROP TYPE kind;\nALTER TYPE kind_new RENAME TO kind;\n"
                "ALTER TABLE calls ALTER kind TYPE kind USING kind::kind, ALTER kind SET DEFAULT 'a';\nCOMMIT;"
            ),
        ],
        [0, "ALTER TABLE calls ALTER kind SET DEFAULT 'a'"],
    ),
    "no NOT NULL on a column that a block puts another in the place of": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            (
                "BEGIN;\nALTER TABLE leads ADD label text UNIQUE;\nUPDATE leads SET label = name || id;\n"
                "ALTER TABLE leads DROP name;\nALTER TABLE leads RENAME label TO name;\nCOMMIT;"
            ),
        ],
        ["ALTER TABLE leads ALTER name DROP NOT NULL"],
    ),
    "half of a table made anew, with a column that goes later": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY, x int NOT NULL);",
            "DROP TABLE calls;\nCREATE TABLE calls (id int PRIMARY KEY, x int NOT NULL, y int);",
            "ALTER TABLE calls DROP COLUMN x;",
            "CREATE TABLE later (id int PRIMARY KEY);",
        ],
        [0, "DROP TABLE calls"],
    ),
    "a table in another schema, before one that refers to it": (
        [
            "CREATE SCHEMA old;\nCREATE TABLE old.calls (id int PRIMARY KEY);",
            "CREATE TABLE old.notes (id int PRIMARY KEY, call_id int REFERENCES old.calls (id));",
            "ALTER TABLE old.notes ADD COLUMN text text;",
            "ALTER TABLE old.calls SET SCHEMA public;",
            "ALTER TABLE old.notes SET SCHEMA public;",
            "DROP SCHEMA old;",
        ],
        [0, 1, 4],
    ),
    "a table that is dropped and made anew before": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY, at timestamptz);",
            "BEGIN;\nDROP TABLE calls;\nCREATE TABLE calls (id int PRIMARY KEY);\nCOMMIT;",
            "CREATE TABLE other (id int);",
            "ALTER TABLE calls ADD COLUMN at timestamptz DEFAULT now();",
        ],
        [0],
    ),
    "triggers, rules, defaults and functions that would change what a data step writes": (
        [
            (
                "CREATE FUNCTION tidied(text) RETURNS text LANGUAGE sql AS $$SELECT trim($1)$$;\n"
                "CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS\n"
                "$$BEGIN NEW.name = tidied(NEW.name); RETURN NEW; END$$;\n"
                "CREATE TRIGGER tidy BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION tidy();"
            ),
            "CREATE TABLE calls (id int PRIMARY KEY, a int, b int, c int, d int, e int, f int, g int);",
            "INSERT INTO leads (id, name) VALUES (21, ' new ');",
            "UPDATE leads SET phone = '-' WHERE id > 19;",
            "CREATE TABLE more (id int);",
            (
                "CREATE OR REPLACE FUNCTION tidied(text) RETURNS text LANGUAGE sql AS $$SELECT upper($1)$$;\n"
                "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS\n"
                "$$BEGIN NEW.name = 'other'; RETURN NEW; END$$;\n"
                "CREATE TRIGGER other BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION other();\n"
                "COMMENT ON TRIGGER other ON leads IS 'of another';\n"
                "CREATE RULE none AS ON INSERT TO leads DO INSTEAD NOTHING;\n"
                "ALTER TABLE leads ALTER mood DROP DEFAULT, ALTER phone SET DEFAULT '+';\n"
                "ALTER TABLE leads DISABLE TRIGGER tidy;"
            ),
        ],
        [0, 5],
    ),
    "a type, a domain and a view that are made anew otherwise": (
        [
            (
                "CREATE TYPE kind AS ENUM ('all', 'none');\nCREATE DOMAIN size AS text CHECK (VALUE <> '');\n"
                "CREATE VIEW names AS SELECT id, name FROM leads;"
            ),
            (
                "CREATE TABLE calls (id int PRIMARY KEY, kind kind DEFAULT 'all', size size DEFAULT 'l');\n"
                "CREATE VIEW first_names AS SELECT id, name FROM names WHERE id < 9;"
            ),
            "UPDATE leads SET phone = '-' WHERE id > 19;",
            (
                "DROP VIEW first_names;\nDROP VIEW names;\nCREATE VIEW names AS SELECT 1 AS one;\n"
                "ALTER TABLE calls DROP COLUMN size;\nDROP DOMAIN size;\nCREATE DOMAIN size AS int CHECK (VALUE > 0);\n"
                "ALTER TABLE calls ALTER kind DROP DEFAULT, ALTER kind TYPE text;\n"
                "DROP TYPE kind;\nCREATE TYPE kind AS ENUM ('some');"
            ),
        ],
        [
            "CREATE TYPE kind AS ENUM ('some')",
            "CREATE DOMAIN size AS int CHECK (VALUE > 0)",
            "CREATE VIEW names AS SELECT 1 AS one",
        ],
    ),
    "no foreign key any more, which goes along with another key": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY, lead int CONSTRAINT of_lead REFERENCES leads);",
            "ALTER TABLE leads ADD COLUMN a int;",
            (
                "UPDATE leads SET a = 1;\n"
                "ALTER TABLE leads ALTER a SET NOT NULL, DROP CONSTRAINT leads_pkey CASCADE, ADD PRIMARY KEY (id, a);"
            ),
            "CREATE TABLE later (id int);",
        ],
        [0, "ALTER TABLE calls DROP CONSTRAINT of_lead"],
    ),
    "a table and a column of it renamed, before a key of both": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY, by int, text text);",
            "ALTER TABLE calls ADD CONSTRAINT said UNIQUE (by, text);",
            "ALTER TABLE leads RENAME mood TO feeling;\nALTER TABLE calls RENAME by TO lead;",
            "ALTER TABLE calls RENAME TO words;",
            "ALTER TABLE words ADD COLUMN at date;",
        ],
        [0, "ALTER TABLE calls RENAME by TO lead", 3],
    ),
    "columns and more of a table that is renamed before, and of one that goes to another schema": (
        [
            "CREATE SCHEMA app;\nCREATE TABLE app.calls (id int PRIMARY KEY);\nCREATE TABLE notes (id int PRIMARY KEY);",
            "ALTER TABLE app.calls SET SCHEMA public;\nALTER TABLE notes RENAME TO words;",
            "CREATE TABLE more (id int REFERENCES calls, word int REFERENCES words);",
            (
                "ALTER TABLE calls ADD n int NOT NULL DEFAULT 4, ADD CONSTRAINT big CHECK (n > 3);\n"
                "ALTER TABLE words ADD text text;\nCREATE INDEX texts ON words (text);"
            ),
        ],
        [
            0,
            "ALTER TABLE app.calls ADD n int NOT NULL DEFAULT 4, ADD CONSTRAINT big CHECK (n > 3)",
            "ALTER TABLE notes ADD text text",
            "CREATE INDEX texts ON notes (text)",
        ],
    ),
    "an extension in a schema that goes with it, before it is made anew": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            (
                "CREATE SCHEMA more;\nCREATE EXTENSION fuzzystrmatch WITH SCHEMA more;\n"
                "CREATE TABLE more.notes (id int PRIMARY KEY, sound text DEFAULT more.soundex('note'));"
            ),
            (
                "ALTER TABLE more.notes SET SCHEMA public;\nDROP SCHEMA more CASCADE;\nCREATE EXTENSION fuzzystrmatch;\n"
                "ALTER TABLE notes ALTER sound SET DEFAULT soundex('note');"
            ),
        ],
        ["CREATE SCHEMA more", "CREATE EXTENSION fuzzystrmatch WITH SCHEMA more"],
    ),
    "a function that is made anew otherwise, for an index": (
        [
            "CREATE TABLE calls (id int PRIMARY KEY);",
            (
                "CREATE TYPE pair AS (a int, b int);\nCREATE FUNCTION pair_of(text) RETURNS pair IMMUTABLE LANGUAGE sql\n"
                "SET search_path FROM CURRENT AS 'SELECT (length($1), 2)::pair';\n"
                "CREATE INDEX pairs ON leads (pair_of(name));"
            ),
            "DROP INDEX pairs;",
            (
                "DROP FUNCTION pair_of(text);\nDROP TYPE pair;\nCREATE TYPE pair AS (a bigint, b bigint);\n"
                "CREATE FUNCTION pair_of(text) RETURNS pair LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            ),
        ],
        [
            "CREATE TYPE pair AS (a bigint, b bigint)",
            "CREATE FUNCTION pair_of(text) RETURNS pair LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        ],
    ),
    "a function that is made anew with other names, for a step of rows": (
        [
            "CREATE FUNCTION tidied(was text) RETURNS text LANGUAGE sql AS $$SELECT trim(was)$$;",
            "CREATE TABLE others (id int);",
            "UPDATE leads SET phone = tidied(phone || ' ') WHERE id > 3;",
            "CREATE TABLE more (id int);",
            (
                "DROP FUNCTION tidied(text);\n"
                "CREATE FUNCTION tidied(given text) RETURNS text LANGUAGE sql AS $$SELECT upper(given)$$;"
            ),
        ],
        [0, 4],
    ),
    "a function that is made anew with other names, for a block": (
        [
            (
                "BEGIN;\nCREATE FUNCTION tidied(was text) RETURNS text LANGUAGE sql AS $$SELECT trim(was)$$;\n"
                "ALTER TABLE leads ADD tidy text;\nUPDATE leads SET tidy = tidied(name);\nCOMMIT;"
            ),
            "CREATE TABLE more (id int);",
            (
                "DROP FUNCTION tidied(text);\n"
                "CREATE FUNCTION tidied(given text) RETURNS text LANGUAGE sql AS $$SELECT upper(given)$$;"
            ),
        ],
        ["CREATE FUNCTION tidied(given text) RETURNS text LANGUAGE sql AS $$SELECT upper(given)$$"],
    ),
    "a function that is replaced, for a block of rows": (
        [
            (
                "BEGIN;\nCREATE FUNCTION tidied(was text) RETURNS text LANGUAGE sql AS $$SELECT trim(was)$$;\n"
                "ALTER TABLE leads ADD tidy text;\nUPDATE leads SET tidy = tidied(name);\nCOMMIT;"
            ),
            "CREATE TABLE more (id int);",
            "CREATE OR REPLACE FUNCTION tidied(was text) RETURNS text LANGUAGE sql AS $$SELECT upper(was)$$;",
        ],
        [2],
    ),
}


@pytest.mark.parametrize("name", EARLY)
def test_what_was_done_early_stands_in_nobodys_way(run: Run, chain: MakeChain, databases: Databases, name: str) -> None:
    later, early = EARLY[name]
    files = {**FIRST, **{f"{n:03}_later.sql": text for n, text in enumerate(later, 2)}}
    folder, url, reference = chain(files), databases.create(), databases.create()
    execute(reference, files["001_leads.sql"], ROWS, *later)
    execute(url, files["001_leads.sql"], ROWS, *(later[one] if isinstance(one, int) else one for one in early))

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert 0 == answer.code, answer.err
    assert answer.json["true"], answer.json["drift"]
    assert dump(reference) == dump(url)
    table = "people" if name == "a table renamed" else "leads"
    order = f"SELECT to_jsonb(t) FROM {table} t ORDER BY id"
    assert rows(reference, order) == rows(url, order)
    assert 0 == run("--migrations", folder, "--database-url", url, "up", "--strict").code


def test_a_key_of_a_table_made_early_is_made_anew_as_it_is_written(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    table = "CREATE TABLE calls (lead int, at int, PRIMARY KEY (lead));"
    anew = "ALTER TABLE calls DROP CONSTRAINT calls_pkey;\nALTER TABLE calls ADD PRIMARY KEY (lead, at);"
    folder, url = (
        chain({**FIRST, "002.sql": "CREATE TABLE b ();", "003.sql": table, "004.sql": anew}),
        databases.create(),
    )
    where = ("--migrations", folder, "--database-url", url)
    assert 0 == run(*where, "up", "--to", "1").code
    execute(url, table)

    answer = run(*where, "plan", "--json")

    verdicts = {step["id"]: step["verdict"] for step in answer.json["steps"]}
    assert {"run"} == {verdict for name, verdict in verdicts.items() if name.startswith("4_")}
    assert 0 == run(*where, "up", "--strict").code


def test_a_name_is_lent_for_one_transaction(run: Run, chain: MakeChain, databases: Databases) -> None:
    later, _ = EARLY["a column renamed"]
    folder = chain({**FIRST, **{f"{n:03}_later.sql": text for n, text in enumerate(later, 2)}})
    url = databases.create()
    execute(url, FIRST["001_leads.sql"], ROWS, later[3])

    answer = run("--migrations", folder, "--database-url", url, "plan", "--json")

    sent = next(step["statements"] for step in answer.json["steps"] if step["id"] == "2_leads_phone")
    assert [
        "ALTER TABLE public.leads RENAME COLUMN number TO phone",
        "CREATE INDEX leads_phone ON leads (phone)",
        "ALTER TABLE public.leads RENAME COLUMN phone TO number",
    ] == sent


AGAIN = "CREATE TRIGGER noted AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION noted()"


@pytest.mark.parametrize(
    "early, later",
    [
        ("DROP TRIGGER noted ON leads", "DROP TRIGGER noted ON leads;"),
        ("DROP FUNCTION noted() CASCADE", "DROP FUNCTION noted() CASCADE;"),
        ("DROP TRIGGER noted ON leads", f"BEGIN;\nDROP TRIGGER noted ON leads;\n{AGAIN};\nCOMMIT;"),
    ],
)
def test_a_trigger_that_is_gone_already_fires_for_the_rows_of_a_step_before(
    run: Run, chain: MakeChain, database: str, early: str, later: str
) -> None:
    first = (
        f"{FIRST['001_leads.sql']}\nCREATE TABLE notes (lead int);\nCREATE FUNCTION noted() RETURNS trigger\n"
        "LANGUAGE plpgsql AS 'BEGIN INSERT INTO notes VALUES (NEW.id); RETURN NEW; END';\n"
        "CREATE TRIGGER noted AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION noted();"
    )
    files = {"001_leads.sql": first, "002_one.sql": "INSERT INTO leads VALUES (1, 'one');", "003_drop.sql": later}
    where = ("--migrations", chain(files), "--database-url", database, "up")
    assert 0 == run(*where, "--to", "1").code
    execute(database, early)

    answer = run(*where, "--strict")

    assert 0 == answer.code, answer.err
    assert [(1,)] == rows(database, "SELECT * FROM notes")


def test_a_view_that_is_replaced_already_is_not_read_by_a_step_before(
    run: Run, chain: MakeChain, database: str
) -> None:
    files = {
        "001_leads.sql": f"{FIRST['001_leads.sql']}\nCREATE TABLE notes (lead int);\n"
        "CREATE VIEW ids AS SELECT id FROM leads;\nCREATE VIEW more AS SELECT id FROM ids;",
        "002_notes.sql": "INSERT INTO notes SELECT id FROM more;",
        "003_ids.sql": "CREATE OR REPLACE VIEW ids AS SELECT id * 100 AS id FROM leads;",
    }
    where = ("--migrations", chain(files), "--database-url", database, "up")
    assert 0 == run(*where, "--to", "1").code
    execute(database, ROWS, files["003_ids.sql"])

    answer = run(*where)

    assert 3 == answer.code
    assert "2_insert_notes: it reads view public.ids" in " ".join(answer.err.split())


def test_a_name_is_lent_where_another_table_gets_the_one_that_is_here(
    run: Run, chain: MakeChain, databases: Databases
) -> None:
    later = [
        "CREATE TABLE calls (id int PRIMARY KEY);",
        "CREATE TABLE notes (id int PRIMARY KEY);",
        "ALTER TABLE leads ADD COLUMN k int;",
        "ALTER TABLE leads RENAME TO people;",
        "ALTER TABLE people RENAME TO persons;\nALTER TABLE calls RENAME TO people;\nALTER TABLE people ADD z int;",
    ]
    files = {**FIRST, **{f"{n:03}_later.sql": text for n, text in enumerate(later, 2)}}
    folder, url, reference = chain(files), databases.create(), databases.create()
    where = ("--migrations", folder, "--database-url", url)
    execute(reference, *files.values())
    assert 0 == run(*where, "up", "--to", "2").code
    execute(url, ROWS, later[3])

    answer = run(*where, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert dump(reference) == dump(url)
    assert [(20,)] == rows(url, "SELECT count(*) FROM persons")


def test_a_block_that_reads_a_lost_column_is_a_persons_matter(run: Run, chain: MakeChain, databases: Databases) -> None:
    block = (
        "BEGIN;\nALTER TABLE leads ADD COLUMN digits int;\nUPDATE leads SET digits = phone::int;\n"
        "ALTER TABLE leads ALTER digits SET NOT NULL;\nCOMMIT;"
    )
    folder = chain({**FIRST, "002_block.sql": block, "003_drop.sql": "ALTER TABLE leads DROP COLUMN phone;"})
    url = databases.create()
    execute(url, FIRST["001_leads.sql"], ROWS, "ALTER TABLE leads DROP COLUMN phone")

    answer = run("--migrations", folder, "--database-url", url, "up", "--json")

    assert 3 == answer.code, answer.err
    assert "it reads public.leads.phone, whose values were lost" in answer.json["error"]["conflicts"][0]["why"]


def test_a_block_of_code_that_deletes_nothing_does_not_ask_what_would_go_along(
    run: Run, chain: MakeChain, database: str
) -> None:
    calls = "CREATE TABLE calls (lead int REFERENCES leads ON DELETE CASCADE);"
    block = "DO $$ BEGIN UPDATE leads SET name = name || '!'; END $$;"
    where = ("--migrations", chain({**FIRST, "002_do.sql": block, "003_calls.sql": calls}), "--database-url", database)
    assert 0 == run(*where, "up", "--to", "1").code
    execute(database, ROWS, calls, "INSERT INTO calls VALUES (1)")

    answer = run(*where, "up", "--strict")

    assert 0 == answer.code, answer.err
    assert [(20,)] == rows(database, "SELECT count(*) FROM leads WHERE name LIKE '%!'")


@pytest.mark.parametrize(
    "late, code",
    [
        ("UPDATE leads SET phone = '0' || phone;", 0),
        ("INSERT INTO notes SELECT id FROM leads;", 0),
        ("UPDATE leads SET name = upper(name);", 3),
        ("INSERT INTO leads SELECT id + 100, 'new' FROM leads;", 3),
    ],
)
def test_a_file_that_comes_late_does_not_mind_what_later_ones_have_done_to_other_columns(
    run: Run, chain: MakeChain, database: str, late: str, code: int
) -> None:
    files = {**FIRST, "002_notes.sql": "CREATE TABLE notes (n int);"}
    files["004_rename.sql"] = "ALTER TABLE leads RENAME name TO title;"
    assert 0 == run("--migrations", chain(files), "--database-url", database, "up").code
    execute(database, ROWS)

    answer = run("--migrations", chain({**files, "003_late.sql": late}), "--database-url", database, "up", "--strict")

    assert code == answer.code, answer.err


def test_what_somebody_has_on_a_view_that_is_set_aside_stays_on_it(run: Run, chain: MakeChain, database: str) -> None:
    seen = "CREATE MATERIALIZED VIEW seen AS SELECT id, phone FROM leads;"
    named = "CREATE VIEW named AS SELECT id, phone FROM leads;"
    files = {**FIRST, "002_phone.sql": "ALTER TABLE leads ALTER phone TYPE text;", "003_views.sql": f"{seen}\n{named}"}
    by_hand = [
        "CREATE INDEX mine ON seen (phone)",
        "GRANT SELECT ON seen TO pg_monitor",
        "COMMENT ON COLUMN named.phone IS 'with the code'",
        "GRANT UPDATE (phone) ON named TO PUBLIC",
    ]
    where = ("--migrations", chain(files), "--database-url", database, "up")
    assert 0 == run(*where, "--to", "1").code
    execute(database, ROWS, seen, named, *by_hand)
    on_them = (
        "SELECT relacl::text, (SELECT array_agg(attacl::text) FROM pg_attribute WHERE attrelid = c.oid),\n"
        "(SELECT array_agg(description) FROM pg_description WHERE objoid = c.oid)\n"
        "FROM pg_class c WHERE relname IN ('seen', 'mine', 'named') ORDER BY relname"
    )
    before = rows(database, on_them)

    answer = run(*where)

    assert 0 == answer.code, answer.err
    assert before == rows(database, on_them)


@pytest.mark.parametrize("by_hand", [False, True], ids=["of a later step", "of somebody's"])
@pytest.mark.parametrize("materialized", ["", "MATERIALIZED "])
def test_a_view_that_hangs_on_one_that_is_made_anew_is_known_before_anything_is_sent(
    run: Run, chain: MakeChain, database: str, by_hand: bool, materialized: str
) -> None:
    view = f"CREATE {materialized}VIEW v AS SELECT id FROM leads;"
    anew = f"CREATE TABLE more ();\nDROP {materialized}VIEW v;\n{view.replace('id', 'id, name')}"
    later = "CREATE VIEW w AS SELECT id FROM v;"
    files = {**FIRST, "002_v.sql": view, "003_anew.sql": anew, "004_w.sql": "" if by_hand else later}
    where = ("--migrations", chain(files), "--database-url", database)
    assert 0 == run(*where, "up", "--to", "2").code
    execute(database, later)

    answer = run(*where, "up")

    assert 3 == answer.code, answer.err
    assert "view public.w, which" in " ".join(answer.err.split())
    assert [] == rows(database, "SELECT FROM pg_class WHERE relname = 'more'")
    execute(database, "DROP VIEW w")
    assert 0 == run(*where, "up").code
