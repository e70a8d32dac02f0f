"""Every safe form on every PostgreSQL: the locks that it takes, what it leaves, and a crash behind each of its parts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

import trueup
from trueup import Options
from trueup.chain.locks import STRENGTH
from trueup.planning.model import Action
from trueup.run.execute import Executor
from trueup.scratch.observed import LOCK_LETTERS
from trueup_testing.chains import Locksmith, MakeChain, write_chain
from trueup_testing.databases import Databases, execute, rows, value
from trueup_testing.safe_forms import IN_SAFE_FORMS, filled
from trueup_testing.schema import dump

pytestmark = pytest.mark.pg

BASE = """
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE keyless (id int, "Order" int);
CREATE TABLE t (k int PRIMARY KEY, id int, a text, b varchar(10), c timestamp, p_id int, old int);
CREATE INDEX t_a ON t (a);
CREATE INDEX t_old ON t (old);
CREATE TABLE part (id int, a text) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (1000);
CREATE TABLE part2 PARTITION OF part FOR VALUES FROM (1000) TO (2000);
CREATE TABLE kind (id int, "K k" varchar(5)) PARTITION BY LIST ("K k");
CREATE TABLE kind1 PARTITION OF kind FOR VALUES IN ('a');
CREATE TABLE kind2 PARTITION OF kind DEFAULT;
CREATE TABLE loose (id int, "K k" varchar(5));
CREATE TABLE gone (p_id int REFERENCES p, t_k int REFERENCES t);
"""
CHANGES = """
CREATE INDEX t_b ON t (b);
CREATE UNIQUE INDEX ON t (lower(b)) WHERE id > 0;
DROP INDEX t_old;
REINDEX TABLE t;
ALTER TABLE t ADD UNIQUE (id);
ALTER TABLE keyless ADD PRIMARY KEY (id);
ALTER TABLE keyless ALTER "Order" SET NOT NULL;
ALTER TABLE t ADD CHECK (id > 0);
ALTER TABLE t ADD FOREIGN KEY (p_id) REFERENCES p ON DELETE CASCADE;
ALTER TABLE t ADD n int REFERENCES p CHECK (n > 0) UNIQUE;
ALTER TABLE t ADD m int DEFAULT 5 NOT NULL CHECK (m > 0);
ALTER TABLE t ADD u uuid DEFAULT gen_random_uuid() NOT NULL UNIQUE;
ALTER TABLE t ADD s serial;
ALTER TABLE t ADD i bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE t ALTER b TYPE text;
ALTER TABLE t ADD z int, ADD CHECK (id < 1000), ALTER a SET NOT NULL, DROP COLUMN old;
CREATE INDEX part_a ON part (a);
CREATE TABLE part3 PARTITION OF part FOR VALUES FROM (2000) TO (3000);
ALTER TABLE part ADD CHECK (id >= 0);
ALTER TABLE part DETACH PARTITION part1;
ALTER TABLE kind ATTACH PARTITION loose FOR VALUES IN ('l', 'm');
CREATE TABLE kind3 PARTITION OF kind FOR VALUES IN ('x');
CREATE TABLE new (p_id int REFERENCES p, t_k int REFERENCES t ON DELETE CASCADE, CHECK (p_id > 0));
DROP TABLE gone;
DROP INDEX t_a; CREATE INDEX t_a ON t (a DESC);
ALTER TABLE t DROP CONSTRAINT t_id_key; ALTER TABLE t ADD CONSTRAINT t_id_key UNIQUE (id, b);
"""
ROWS = (
    "INSERT INTO p SELECT generate_series(1, 100)",
    "INSERT INTO keyless SELECT n, n FROM generate_series(1, 100) AS n",
    "INSERT INTO t SELECT n, n, n, n, now(), n, n FROM generate_series(1, 100) AS n",
    "INSERT INTO part SELECT n, n FROM generate_series(1, 100) AS n",
    "INSERT INTO kind SELECT n, chr(97 + n % 2) FROM generate_series(1, 100) AS n",
    "INSERT INTO loose SELECT n, 'l' FROM generate_series(1, 100) AS n",
    "INSERT INTO gone SELECT n, n FROM generate_series(1, 100) AS n",
    "ANALYZE",
)
WATCH = (
    "CREATE SCHEMA watch",
    "CREATE TABLE watch.seen (relation text, mode text)",
    """CREATE FUNCTION watch.look() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO watch.seen SELECT c.oid::regclass, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
     WHERE l.pid = pg_backend_pid() AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace; END $$""",
    "CREATE EVENT TRIGGER look ON ddl_command_end EXECUTE FUNCTION watch.look()",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, locksmith: Locksmith) -> Path:
    files = {"001_base.sql": BASE, "002_changes.sql": CHANGES}
    return locksmith.lock(write_chain(tmp_path_factory.mktemp("safe") / "migrations", files))


def in_use(databases: Databases, folder: Path) -> str:
    """A database with rows, in which every change is still to come."""
    return filled(databases, folder, *ROWS)


def before(change: str, databases: Databases, chain: MakeChain) -> tuple[str, Path]:
    """Such a database and the chain's folder, for a chain of one change."""
    folder = chain({"001_base.sql": BASE, "002_change.sql": change})
    return in_use(databases, folder), folder


def as_written(databases: Databases) -> str:
    url = databases.create()
    execute(url, BASE, *ROWS, *CHANGES.strip().splitlines())
    return url


class _Watched:
    """The locks of each part, as pg_locks showed them inside its transaction, beside those that the plan names."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        execute(url, *WATCH)
        self.parts: list[tuple[Action, dict[str, str]]] = []
        run = Executor.run

        def watched(executor: Executor, action: Action) -> float:
            execute(url, "TRUNCATE watch.seen")
            took = run(executor, action)
            strongest: dict[str, str] = {}
            for name, mode in rows(url, "SELECT DISTINCT relation, mode FROM watch.seen"):
                letters, table = LOCK_LETTERS[str(mode)], f"public.{name}"
                if STRENGTH[letters] >= STRENGTH[strongest.get(table, "AS")]:
                    strongest[table] = letters
            self.parts.append((action, strongest))
            return took

        monkeypatch.setattr(Executor, "run", watched)


def test_locks_are_those_that_the_plan_names_and_the_end_is_as_written(
    each_server: Databases, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = in_use(each_server, folder)
    watched = _Watched(url, monkeypatch)

    assert trueup.up(url, folder, options=IN_SAFE_FORMS).true

    execute(url, "DROP EVENT TRIGGER look", "DROP SCHEMA watch CASCADE")
    assert dump(as_written(each_server)) == dump(url)
    stronger = [
        (action.statements, dict(action.locks), seen)
        for action, seen in watched.parts
        if action.transaction
        for table, mode in seen.items()
        if table not in ("public.part3", "public.kind3", "public.new")  # nobody uses them yet
        and STRENGTH[mode] > STRENGTH[claimed(action, table)]
    ]
    assert [] == stronger
    felt = [action for action, seen in watched.parts if {"S", "SRE", "AE"} & set(action.locks.values())]
    assert 12 <= len(felt) < len(watched.parts) / 2
    assert not any(" VALIDATE " in text or " UPDATE " in text for action in felt for text in action.statements)


def claimed(action: Action, table: str) -> str:
    """What the plan says of a table; of a partition that it does not name it is said with its parent."""
    return action.locks.get(table) or action.locks.get(table.rstrip("123"), "AS")


def test_a_step_in_parts_is_done_once_and_a_plan_shows_the_batches_that_are_sent(
    databases: Databases, chain: MakeChain
) -> None:
    change = "ALTER TABLE t ADD u uuid DEFAULT gen_random_uuid() NOT NULL;"
    url, folder = before(change, databases, chain)
    (planned,) = trueup.plan(url, folder, options=IN_SAFE_FORMS).sent
    events: list[trueup.Event] = []

    report = trueup.up(url, folder, options=IN_SAFE_FORMS, on_event=events.append)

    batch = "UPDATE public.t SET u = DEFAULT WHERE u IS NULL AND (t.k > '…'::int AND t.k <= '…'::int)"
    assert [batch] == planned.parts[1].statements
    done = [event for event in events if event.kind == "step_done"]
    parts = [event for event in events if event.kind == "part_done"]
    assert ["done 2_t_u"] == [event.text for event in done]
    assert [part.statements[0].partition(" ")[0] for part in planned.parts] == [
        event.text.partition(" ")[0] for event in parts
    ]
    assert done[0].ms == pytest.approx(sum(event.ms for event in parts)) == pytest.approx(report.sent[0].ms)


class _Killed(BaseException):
    """As if the process had ended there."""


def test_a_crash_behind_any_part_is_gone_on_from(
    each_server: Databases, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = in_use(each_server, folder)
    killed_behind: set[tuple[str, ...]] = set()
    run = Executor.run

    def killed(executor: Executor, action: Action) -> float:
        took = run(executor, action)
        if action.statements not in killed_behind:
            killed_behind.add(action.statements)
            raise _Killed
        return took

    with monkeypatch.context() as patched:
        patched.setattr(Executor, "run", killed)
        while True:
            try:
                trueup.up(url, folder, options=IN_SAFE_FORMS)
            except _Killed:  # and the next run goes on
                continue
            else:
                break

    assert trueup.check(url, folder).true
    assert dump(as_written(each_server)) == dump(url)
    assert [] == rows(url, "SELECT * FROM trueup.begun")
    assert (100, 100, 100, 100) == rows(url, "SELECT count(u), count(DISTINCT u), count(s), count(DISTINCT i) FROM t")[
        0
    ]
    assert 40 < len(killed_behind)


BUILDS = {
    "CREATE INDEX t_b ON t (b)": "ShareUpdateExclusiveLock",
    "ALTER TABLE t ADD UNIQUE (id)": "ShareUpdateExclusiveLock",
    "DROP INDEX t_a": "ShareUpdateExclusiveLock",
    "REINDEX TABLE t": "ShareUpdateExclusiveLock",
}


@pytest.mark.parametrize("change", BUILDS)
def test_writers_go_on_while_an_index_is_built(each_server: Databases, chain: MakeChain, change: str) -> None:
    url, folder = before(change, each_server, chain)
    with psycopg.connect(url) as writer, psycopg.connect(url, autocommit=True) as other:
        writer.execute("UPDATE t SET a = a WHERE k = 1")
        thread = threading.Thread(target=trueup.up, args=(url, folder), kwargs={"options": IN_SAFE_FORMS})
        thread.start()
        held = list(_modes_while_waiting(other))
        other.execute("UPDATE t SET a = 'written meanwhile' WHERE k = 2")
        writer.rollback()
        thread.join()

    assert {BUILDS[change]} == set(held)
    assert trueup.check(url, folder).true
    assert "written meanwhile" == value(url, "SELECT a FROM t WHERE k = 2")


def _modes_while_waiting(conn: psycopg.Connection[TupleRow]) -> Iterator[str]:
    """The modes that another backend holds on t when it waits for a transaction."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = conn.execute(
            """SELECT l.mode FROM pg_locks w JOIN pg_locks l ON l.pid = w.pid
                WHERE w.locktype = 'virtualxid' AND NOT w.granted AND l.relation = 't'::regclass AND l.granted"""
        ).fetchall()
        if found:
            yield from (row[0] for row in found)
            return
        time.sleep(0.01)


def test_small_tables_and_what_is_meant_as_written_are_sent_as_written(databases: Databases, chain: MakeChain) -> None:
    change = "CREATE INDEX t_b ON t (b);\n-- as written\nALTER TABLE t ALTER id TYPE bigint;"
    url, folder = before(change, databases, chain)

    small, big = trueup.plan(url, folder), trueup.plan(url, folder, options=IN_SAFE_FORMS)

    assert [["CREATE INDEX t_b ON t (b)"], ["ALTER TABLE t ALTER id TYPE bigint"]] == [s.statements for s in small.sent]
    assert ["CREATE INDEX CONCURRENTLY t_b ON public.t USING btree (b)"] == big.sent[0].statements
    assert ["ALTER TABLE t ALTER id TYPE bigint"] == big.sent[1].statements


def test_a_detach_that_was_interrupted_is_brought_to_its_end(each_server: Databases, chain: MakeChain) -> None:
    change = "ALTER TABLE part DETACH PARTITION part1"
    url, folder = before(change, each_server, chain)
    failed: list[trueup.StepFailed] = []

    def run() -> None:
        try:
            trueup.up(url, folder, options=IN_SAFE_FORMS)
        except trueup.StepFailed as error:
            failed.append(error)

    with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as other:
        reader.execute("LOCK TABLE ONLY part IN ACCESS SHARE MODE")
        thread = threading.Thread(target=run)
        thread.start()
        until(other, "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'part1'::regclass AND inhdetachpending")
        mine = f"l.pid <> {reader.info.backend_pid} AND l.relation = 'part'::regclass AND l.granted"
        held = {row[0] for row in other.execute(f"SELECT l.mode FROM pg_locks l WHERE {mine}".encode()).fetchall()}
        until(other, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%DETACH%CONCURRENTLY'")
        thread.join()

    assert ["57014"] == [error.sqlstate for error in failed]
    assert held <= {"ShareUpdateExclusiveLock"}  # none, while it waits for those who read
    assert ["FINALIZE" in text for step in trueup.plan(url, folder).sent for text in step.statements].count(True) == 1
    assert trueup.up(url, folder, options=IN_SAFE_FORMS).true
    written = each_server.create()
    execute(written, BASE, change)
    assert dump(written) == dump(url)


def until(conn: psycopg.Connection[object], query: str) -> None:
    """Wait until a query has a row."""
    deadline = time.monotonic() + 20
    while not conn.execute(query.encode()).fetchone():
        assert time.monotonic() < deadline, query
        time.sleep(0.01)


def test_a_default_partition_is_not_read_under_the_strong_lock(each_server: Databases, chain: MakeChain) -> None:
    change = "ALTER TABLE kind ATTACH PARTITION loose FOR VALUES IN ('l', 'm')"
    url, folder = before(change, each_server, chain)
    query = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname IN ('kind2', 'loose') AND seq_scan > 0"
    execute(url, "SELECT pg_stat_reset()")

    assert trueup.up(url, folder, options=IN_SAFE_FORMS).true

    with psycopg.connect(url, autocommit=True) as conn:
        until(conn, f"SELECT 1 FROM ({query}) AS scanned HAVING count(*) = 2")
    assert {("kind2", 1), ("loose", 1)} == set(rows(url, query))  # by VALIDATE, and not again by ATTACH


LOST = {
    "001_h.sql": "CREATE TABLE h (id int PRIMARY KEY, a int);\nINSERT INTO h SELECT n, n FROM generate_series(1, 9000) AS n;",
    "002_n.sql": "ALTER TABLE h ADD n int;\nUPDATE h SET n = a * 2;\nALTER TABLE h ALTER n SET NOT NULL;",
}


def test_a_lost_column_of_a_big_table_is_filled_in_batches(each_server: Databases, chain: MakeChain) -> None:
    folder = chain(LOST)
    url = each_server.create()
    trueup.up(url, folder)
    execute(url, "ALTER TABLE h DROP n", "ANALYZE h")

    def stop(event: trueup.Event) -> None:
        if event.kind == "progress":
            raise _Killed

    with pytest.raises(_Killed):
        trueup.up(url, folder, options=IN_SAFE_FORMS, on_event=stop)
    done = value(url, "SELECT count(n) FROM h")
    report = trueup.up(url, folder, options=IN_SAFE_FORMS)

    assert 0 < int(str(done)) < 9000
    assert report.true
    assert 9000 == value(url, "SELECT count(*) FROM h WHERE n = a * 2")


SEARCHED_OFTEN = """
SELECT count(*) FROM generate_series(1, 1000) AS n, LATERAL (SELECT FROM t WHERE k = n OFFSET 0) AS one
"""


def test_a_small_table_has_its_safe_forms_where_it_is_busy(each_server: Databases, chain: MakeChain) -> None:
    change = "CREATE INDEX t_b ON t (b);\nALTER TABLE t ALTER id TYPE bigint;"
    url, folder = before(change, each_server, chain)

    def sent(rows: int) -> list[str]:
        return [step.statements[0] for step in trueup.plan(url, folder, options=Options(big_rows=rows)).sent]

    as_written = change.replace(";", "").splitlines()
    concurrently = ["CREATE INDEX CONCURRENTLY t_b ON public.t USING btree (b)", as_written[1]]
    assert as_written == sent(1000)
    execute(
        url, "SELECT pg_stat_reset()", "SET enable_seqscan = off", SEARCHED_OFTEN, "SELECT pg_stat_force_next_flush()"
    )
    assert concurrently == sent(1000)  # what has no safe form stops nothing: it is small
    assert as_written == sent(1001)
    assert trueup.plan(url, folder, options=Options(big_rows=1000)).sent[0].parts[0].locks["public.t"]["busy"]


def test_what_is_in_toast_makes_a_table_big(database: str, chain: MakeChain) -> None:
    folder = chain({"001_base.sql": BASE, "002_change.sql": "CREATE INDEX t_b ON t (b)"})
    trueup.up(database, folder, options=Options(to="1"))
    long = "(SELECT string_agg(gen_random_uuid()::text, '') FROM generate_series(1, 5000))"
    execute(
        database,
        "ALTER TABLE t ALTER a SET STORAGE EXTERNAL",
        "DROP INDEX t_a",
        f"INSERT INTO t (k, a) SELECT n, {long} FROM generate_series(1, 50) AS n",
        "CREATE INDEX t_a ON t (left(a, 9))",
    )

    assert "CONCURRENTLY" in trueup.plan(database, folder).steps[-1].statements[0]


@pytest.mark.parametrize(
    "change, why",
    [
        ("ALTER TABLE t ALTER id TYPE bigint", "writes the whole table anew"),
        ("ALTER TABLE t ADD g int GENERATED ALWAYS AS (id + 1) STORED", "for the generated column g"),
        ("ALTER TABLE keyless SET UNLOGGED", "writes the whole table anew"),
        ("CLUSTER t USING t_a", "writes the whole table anew"),
        ("VACUUM FULL t", "writes the whole table anew"),
        ("ALTER TABLE t ADD EXCLUDE USING btree (id WITH =)", "an EXCLUDE constraint"),
        ("ALTER TABLE part ADD UNIQUE (id)", "a partitioned table cannot take one over"),
        ("ALTER TABLE keyless ADD u uuid DEFAULT gen_random_uuid()", "without a primary key"),
        ("BEGIN; ALTER TABLE t ADD z int; UPDATE t SET z = 1; COMMIT", "in one transaction with other statements"),
    ],
)
def test_what_has_no_safe_form_is_for_a_person_to_decide(
    databases: Databases, chain: MakeChain, change: str, why: str
) -> None:
    url, folder = before(change, databases, chain)

    with pytest.raises(trueup.ConflictError) as caught:
        trueup.up(url, folder, options=IN_SAFE_FORMS)

    (conflict,) = caught.value.conflicts
    assert why in conflict.why
    assert "rows, " in conflict.why
    assert "-- as written" in conflict.hint
