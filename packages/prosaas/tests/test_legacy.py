"""The legacy database, brought up to date with the installed command: nothing is lost, and what was found is said.

What is in it: docs/prosaas-schema.md, "The legacy database".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prosaas.schema.chains import EXTENSIONS, HERE
from trueup_testing.command import Answer, clean_environment, run_trueup
from trueup_testing.databases import Databases, execute, for_a_session, name_of, rows, value
from trueup_testing.schema import Schema, columns, dump, row_digests

pytestmark = pytest.mark.acceptance

CHAIN = HERE / "migrations"
DUMP = (Path(__file__).parent / "legacy" / "legacy.sql").read_text()

OTHERS = {"public.leads_backup_2023", "public.sms_log", "public.rq_jobs_archive", "public.schema_migrations"}
"""Tables that no migration knows."""

CHANGED = {"public.business", "public.business_calendars"}
"""Tables whose rows the chain itself changes, in columns that were there before."""

DRIFT = {"column public.leads.email", "default public.business.working_hours"}


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    """A server that logs every statement."""
    with for_a_session(EXTENSIONS) as server:
        yield server


def load(url: str) -> None:
    execute(url, DUMP)


def run(url: str, *arguments: str) -> Answer:
    return run_trueup(
        "--migrations", CHAIN, "--database-url", url, *arguments, environment=clean_environment(NO_COLOR="1")
    )


@dataclass(frozen=True)
class Told:
    """The legacy database before and after, and what was said about it."""

    url: str
    plan: dict[str, Any]
    plan_text: str
    up: dict[str, Any]
    up_text: str
    sent: list[str]
    schema: tuple[Schema, Schema]
    digests: tuple[dict[str, tuple[int, str]], dict[str, tuple[int, str]]]

    @property
    def verdicts(self) -> dict[str, str]:
        """By id of step, or of what was healed."""
        return {step["id"]: step["verdict"] for step in self.plan["steps"]}


@pytest.fixture(scope="module")
def told(databases: Databases) -> Told:
    """One plan and one run, looked at by all the tests."""
    url = databases.copy_of("legacy", load)
    schema, names = dump(url), columns(url)
    digests = row_digests(url, names)
    plan, plan_text = run(url, "plan", "--json"), run(url, "plan")
    assert 0 == plan.code, plan.err
    assert schema == dump(url)
    before = databases.log.mark() if databases.log else 0
    up = run(url, "up", "--json")
    assert 0 == up.code, up.err
    sent = databases.log.sent(name_of(url), before) if databases.log else []
    return Told(
        url=url,
        plan=plan.json,
        plan_text=plan_text.err,
        up=up.json,
        up_text=up.err,
        sent=sent,
        schema=(schema, dump(url)),
        digests=(digests, row_digests(url, names)),
    )


@pytest.fixture(scope="module")
def fresh(databases: Databases) -> Schema:
    """The schema as the chain makes it from nothing."""
    url = databases.create()
    assert 0 == run(url, "up").code
    return dump(url)


def test_it_is_real_and_large_enough(told: Told) -> None:
    before, _ = told.digests

    assert len(before) > 20
    assert all(count >= 100 for table, (count, _) in before.items() if table not in OTHERS)
    assert sum(count for count, _ in before.values()) > 8000
    assert "א" in str(value(told.url, "SELECT string_agg(name, '') FROM business"))


def test_it_ends_up_to_date_and_names_the_drift(told: Told) -> None:
    assert told.up["up_to_date"]
    assert DRIFT == {difference["fact"] for difference in told.up["drift"]}
    email = next(d for d in told.up["drift"] if d["fact"] == "column public.leads.email")
    assert ("character varying(255)", "character varying(320)", "3_leads_table") == (
        email["wanted"],
        email["found"],
        email["origin"],
    )


def test_plan_showed_exactly_what_was_sent(told: Told, databases: Databases) -> None:
    if databases.log is None:
        pytest.skip("the log of a server that is not ours cannot be read")

    assert [statement for step in told.plan["steps"] for statement in step["statements"]] == told.sent
    assert [(s["id"], s["verdict"]) for s in told.plan["steps"]] == [(s["id"], s["verdict"]) for s in told.up["steps"]]


def test_a_second_run_finds_nothing_to_do(told: Told, databases: Databases) -> None:
    before = databases.log.mark() if databases.log else 0

    again, checked, strict = run(told.url, "up", "--json"), run(told.url, "check"), run(told.url, "up", "--strict")

    assert (0, 6, 7) == (again.code, checked.code, strict.code)
    assert [] == [step for step in again.json["steps"] if step["statements"]]
    assert databases.log is None or [] == databases.log.sent(name_of(told.url), before)
    assert "leads.email" in strict.err


# --- rows ---


def test_no_row_is_lost_and_no_value_changes_but_those_the_chain_changes(told: Told) -> None:
    before, after = told.digests

    assert CHANGED == {table for table in before if before[table] != after[table]}
    assert {table: count for table, (count, _) in before.items() if after[table][0] != count} == {
        "public.business_calendars": 105
    }
    assert 125 == after["public.business_calendars"][0]


def test_what_the_chain_changes_is_what_it_says(told: Told) -> None:
    assert value(told.url, "SELECT count(*) FROM business WHERE enabled_pages ? 'scheduled_messages'") == 72
    assert value(told.url, "SELECT count(*) FROM appointments WHERE calendar_id IS NULL") == 0
    assert value(told.url, "SELECT count(*) FROM business_settings WHERE default_calendar_id IS NULL") == 0
    without = "SELECT count(*) FROM business WHERE id NOT IN (SELECT business_id FROM business_calendars)"
    assert value(told.url, without) == 0


# --- what it found ---


@pytest.mark.parametrize(
    "fact",
    [
        "table public.calendar_routing_rules",
        "column public.business_calendars.buffer_before_minutes",
        "column public.business_calendars.buffer_after_minutes",
        "index public.idx_business_calendars_priority",
        "column public.appointments.calendar_id",
        "column public.scheduled_messages_queue.locked_at",
        "column public.scheduled_messages_queue.sent_at",
        "column public.scheduled_messages_queue.error_message",
        "column public.threads.lead_id",
        "column public.call_log.error_code",
        "column public.call_log.ended_at",
        "column public.users.failed_logins",
        "column public.users.locked_until",
        "view public.call_report",
        "view public.outbound_run_progress",
        "extension pg_trgm",
        "constraint public.outbound_call_runs.chk_outbound_call_runs_counters",
        "constraint public.receipts.chk_receipts_confidence",
        "constraint public.contracts.chk_contracts_signed",
        "constraint public.users.users_email_key",
    ],
)
def test_what_is_missing_is_told_and_made(told: Told, fact: str) -> None:
    step = next(step for step in told.plan["steps"] if step["id"] == fact)

    assert ("heal", True) == (step["verdict"], step["reason"].startswith("missing; step "))
    assert f"heal      {fact}  missing" in told.plan_text
    assert f"healed    {fact}" in told.up_text


def test_a_column_that_is_too_narrow_is_widened(told: Told) -> None:
    assert "run" == told.verdicts["24_leads_status_length"]
    assert "64" == value(
        told.url,
        "SELECT character_maximum_length::text FROM information_schema.columns "
        "WHERE table_name = 'leads' AND column_name = 'status'",
    )


@pytest.mark.parametrize(
    "fact",
    [
        "constraint public.background_jobs.chk_job_type",
        "valid public.idx_outbound_call_jobs_status_twilio_sid",
    ],
)
def test_what_differs_without_loss_is_told_and_mended(told: Told, fact: str) -> None:
    assert "heal" == told.verdicts[fact]


def test_foreign_keys_get_their_actions(told: Told) -> None:
    keys = [
        step
        for step in told.plan["steps"]
        if step["verdict"] == "heal" and step["reason"].startswith("differs") and "FOREIGN KEY" in step["statements"][0]
    ]

    assert 71 == len(keys)
    assert all(" ON DELETE " in step["statements"][0] for step in keys)


def test_what_somebody_added_by_hand_is_taken_for_the_migration_s(told: Told) -> None:
    assert "reconcile" == told.verdicts["121_whatsapp_conversation_last_customer_message_at"]


def test_what_is_there_under_another_name_is_not_made_twice(told: Told) -> None:
    before, after = told.schema

    assert "INDEX public.ix_leads_tenant_id" in before
    assert "INDEX public.ix_leads_tenant_id" in after
    assert "INDEX public.idx_leads_tenant_id" not in after
    assert "CONSTRAINT public.lead_statuses uq_lead_statuses_business_name" not in after


def test_marks_of_the_old_ledger_are_taken_over(told: Told) -> None:
    adopted = rows(told.url, "SELECT migration_id FROM trueup.schema_migrations WHERE verdict = 'adopted'")

    assert 19 == len(adopted)
    assert [(21,)] == rows(told.url, "SELECT count(*) FROM public.schema_migrations")


def test_where_it_stands_is_said(told: Told) -> None:
    assert "stands after 116_scheduled_messages_queue_table (190 of 225 steps)" in told.plan_text
    assert "116_scheduled_messages_queue_table" == told.plan["anchor"]["step"]


# --- what it leaves ---


def test_the_schema_is_the_chain_s_but_for_what_is_named(told: Told, fresh: Schema) -> None:
    before, after = told.schema

    other_names = {key for key in fresh if key not in after}
    assert {"INDEX", "CONSTRAINT"} == {key.split()[0] for key in other_names}
    assert 25 == len(other_names)
    assert {key for key in after if key not in fresh} <= before.keys()
    different = {key: (fresh[key], after[key]) for key in fresh.keys() & after.keys() if fresh[key] != after[key]}
    assert {"TABLE public.business", "TABLE public.leads"} == different.keys()
    assert "email character varying(320)" in different["TABLE public.leads"][1]


def test_things_of_others_are_untouched(told: Told) -> None:
    before, after = told.schema
    theirs = {key for key in before if any(table.split(".")[1] in key for table in OTHERS)}
    theirs |= {
        "VIEW public.receipts_per_vendor",
        "INDEX public.leads_notes_len_tmp",
        "INDEX public.ix_leads_phone_e164",
    }

    assert len(theirs) > 6
    assert {key: before[key] for key in theirs} == {key: after.get(key) for key in theirs}
    assert {table: told.digests[0][table] for table in OTHERS} == {table: told.digests[1][table] for table in OTHERS}
    assert "facebook_ad_id" in after["TABLE public.leads"]


# --- and then ---


def test_accepting_the_drift_makes_it_true(databases: Databases, told: Told, tmp_path: Path) -> None:
    folder = tmp_path / "prosaas" / "migrations"
    folder.mkdir(parents=True)
    for file in CHAIN.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    where = ("--migrations", folder, "--database-url", told.url)

    accepted = run_trueup(*where, "accept", *DRIFT, "--because", "known", environment=clean_environment())

    assert 0 == accepted.code, accepted.err
    assert 0 == run_trueup(*where, "check", environment=clean_environment()).code
    assert databases.server_url


def test_a_row_that_stands_in_the_way_stops_it_before_anything_is_run(databases: Databases) -> None:
    url = databases.copy_of("legacy", load)
    execute(url, "UPDATE receipts SET confidence = 250 WHERE id = (SELECT min(id) FROM receipts)")
    before = dump(url)

    answer = run(url, "up", "--json")

    assert 3 == answer.code
    assert any("chk_receipts_confidence" in conflict["about"] for conflict in answer.json["error"]["conflicts"])
    assert before == dump(url)


def test_stopped_half_way_it_goes_on(databases: Databases, told: Told) -> None:
    url = databases.copy_of("legacy", load)
    assert 0 == run(url, "up", "--to", "100").code
    assert 0 == run(url, "up", "--to", "119").code
    assert 0 == run(url, "up").code

    assert told.schema[1] == dump(url)
