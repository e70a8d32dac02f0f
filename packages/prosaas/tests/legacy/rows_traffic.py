"""What comes in and goes out: calls, messages, e-mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from . import words
from .sample import (
    LEADS,
    START,
    Json,
    Table,
    at,
    business_of,
    hexadecimal,
    lead_of,
    maybe,
    person,
    phone,
    pick,
    user_of,
)


def calls() -> Iterator[Table]:
    rows: list[tuple[Any, ...]] = []
    for n in range(1, 501):
        lead = (n * 11 - 1) % LEADS + 1
        recorded = n % 3 == 0
        sid = f"RE{n:032x}" if recorded else None
        rows.append(
            (business_of(lead), lead if n % 10 else None, f"CA{n:032x}", f"CA{n - 1:032x}" if n % 50 == 2 else None,
             phone(lead), f"+97233{700_000 + business_of(lead) * 31}", "outbound" if n % 4 == 0 else "inbound",
             pick(("completed", "completed", "no-answer", "busy", "failed")), n * 13 % 600,
             f"https://api.twilio.com/2010-04-01/Accounts/AC0/Recordings/{sid}" if recorded else None, sid,
             "all" if recorded else None, pick(words.TRANSCRIPTS) if recorded else None,
             maybe("לקוח ביקש הצעת מחיר", 0.2), at(n, step=1733), at(n, step=1733)),
        )  # fmt: skip
    yield (
        "call_log",
        (
            "business_id, lead_id, call_sid, parent_call_sid, from_number, to_number, direction, call_status, "
            "duration, recording_url, recording_sid, recording_mode, transcription, summary, created_at, "
            "updated_at"
        ),
        rows,
    )
    rows = []
    for n in range(3, 453, 3):
        lead = (n * 11 - 1) % LEADS + 1
        status = pick(("completed", "completed", "failed", "queued"))
        rows.append(
            (business_of(lead), f"CA{n:032x}", f"RE{n:032x}",
             f"https://api.twilio.com/2010-04-01/Accounts/AC0/Recordings/RE{n:032x}", status,
             pick(("download", "download_only")), False, "404 הקלטה לא נמצאה" if status == "failed" else None,
             3 if status == "failed" else 0, at(n, step=1734), None, None),
        )  # fmt: skip
    yield (
        "recording_runs",
        (
            "business_id, call_sid, recording_sid, recording_url, status, job_type, cancel_requested, "
            "error_message, retry_count, created_at, started_at, completed_at"
        ),
        rows,
    )
    rows, jobs = [], []
    for run in range(1, 101):
        states = [("completed", "failed", "queued", "dialing")[(run + k) % 4 if run % 5 else 0] for k in range(4)]
        done = all(state in ("completed", "failed") for state in states)
        count = {state: states.count(state) for state in ("queued", "dialing", "completed", "failed")}
        rows.append(
            (run, run, user_of(run), 3, 4, count["queued"], count["dialing"], count["completed"], count["failed"], 4,
             "completed" if done else "running", False, None, f"worker-{run % 3}", at(run + 2000), at(run + 2000),
             at(run + 1900), at(run + 2000), at(run + 1900), at(run + 2001) if done else None,
             at(run + 2001) if done else None),
        )  # fmt: skip
        for k, state in enumerate(states):
            number = run * 4 + k
            called = state in ("completed", "failed")
            sid = f"CA{10**6 + number:032x}" if called else None
            stuck = state == "dialing"  # dialled long ago and no SID: nobody knows whether it rang
            jobs.append(
                (run, run, lead_of(run, k), None, state, "no-answer" if state == "failed" else None, sid, sid,
                 at(number) if called or stuck else None, hexadecimal(32) if called or stuck else None, at(run + 1900),
                 at(number) if called else None, at(number + 1) if called else None),
            )  # fmt: skip
    yield (
        "outbound_call_runs",
        (
            "business_id, outbound_list_id, created_by_user_id, concurrency, total_leads, queued_count, "
            "in_progress_count, completed_count, failed_count, cursor_position, status, cancel_requested, "
            "last_error, locked_by_worker, lock_ts, last_heartbeat_at, created_at, updated_at, started_at, "
            "ended_at, completed_at"
        ),
        rows,
    )
    yield (
        "outbound_call_jobs",
        (
            "run_id, business_id, lead_id, call_log_id, status, error_message, call_sid, twilio_call_sid, "
            "dial_started_at, dial_lock_token, created_at, started_at, completed_at"
        ),
        jobs,
    )


def conversations() -> Iterator[Table]:
    rows: list[tuple[Any, ...]] = [
        (business_of(n), "whatsapp", "baileys", f"{phone(n)[1:]}@s.whatsapp.net", " ".join(person()), at(n + 500),
         at(n), at(n + 500))
        for n in range(1, 201)
    ]  # fmt: skip
    yield (
        "threads",
        "business_id, type, provider, peer_id, title, last_message_at, created_at, updated_at",
        rows,
    )
    rows = []
    for n in range(1, 601):
        incoming = n % 2 == 1
        text = pick(words.INCOMING) if incoming else pick(words.OUTGOING).format(n=n)
        rows.append(
            ((n - 1) % 200 + 1, "in" if incoming else "out", "text", text,
             Json({"quoted": None, "text": text}) if n % 10 == 0 else None, f"3EB0{n:012X}" if n % 7 else None,
             "received" if incoming else "sent", at(n + 500)),
        )  # fmt: skip
    yield (
        "messages",
        "thread_id, direction, message_type, content_text, content_json, provider_msg_id, status, created_at",
        rows,
    )
    rows = [
        (n, pick(("connected", "disconnected", "qr")), phone(n + 5000), maybe(f"enc:{hexadecimal(64)}", 0.8),
         maybe(at(n + 600), 0.8), maybe("Connection Failure (428)", 0.1), at(n), at(n + 600))
        for n in range(1, 111)
    ]  # fmt: skip
    yield (
        "baileys_sessions",
        "business_id, status, phone, auth_state, last_connected_at, last_error, created_at, updated_at",
        rows,
    )
    rows = [
        (business_of(n), n, f"{phone(n)[1:]}@s.whatsapp.net", " ".join(person()), n % 4 == 0, at(n), at(n + 30),
         None if n % 4 == 0 else at(n + 50), maybe("הלקוח התעניין במחירים ובשעות פתיחה", 0.4))
        for n in range(1, 161)
    ]  # fmt: skip
    yield (
        "whatsapp_conversation",
        "business_id, lead_id, customer_wa_id, customer_name, is_open, started_at, last_message_at, closed_at, summary",
        rows,
    )
    rows = []
    for n in range(1, 401):
        conversation = (n - 1) % 160 + 1
        incoming = n % 3 != 0
        us, them = phone(business_of(conversation) + 5000), phone(conversation)
        rows.append(
            (business_of(conversation), conversation, conversation, "in" if incoming else "out",
             them if incoming else us, us if incoming else them, "text",
             pick(words.INCOMING) if incoming else pick(words.OUTGOING).format(n=n), None,
             "received" if incoming else pick(("sent", "pending", "failed")), "baileys",
             f"BAE5{n:012X}" if n % 9 else None, at(n + 30)),
        )  # fmt: skip
    yield (
        "whatsapp_message",
        (
            "business_id, conversation_id, lead_id, direction, from_number, to_number, message_type, body, "
            "media_url, status, provider, provider_message_id, created_at"
        ),
        rows,
    )


def mail() -> Iterator[Table]:
    rows: list[tuple[Any, ...]] = [
        (n, f"office{n}@example.invalid", f"enc:{hexadecimal(40)}", "error" if n % 17 == 0 else "connected",
         "invalid_grant" if n % 17 == 0 else None, at(n + 900), str(10**6 + n * 37), at(n), at(n + 900))
        for n in range(1, 106)
    ]  # fmt: skip
    yield (
        "gmail_connections",
        (
            "business_id, email_address, refresh_token_encrypted, status, error_message, last_sync_at, "
            "last_history_id, created_at, updated_at"
        ),
        rows,
    )
    rows = [
        ((n - 1) % 105 + 1, (n - 1) % 105 + 1, f"18f{n:013x}", f"18e{n:013x}",
         f"חשבונית מס/קבלה {20_000 + n} – {pick(words.VENDORS)}", "billing@example.invalid", at(n + 300), n % 5 != 0,
         pick(("processed", "skipped", "new")), None, at(n + 301))
        for n in range(1, 211)
    ]  # fmt: skip
    yield (
        "gmail_receipts",
        (
            "business_id, connection_id, gmail_message_id, gmail_thread_id, subject, from_email, received_at, "
            "has_attachment, status, error_message, created_at"
        ),
        rows,
    )
    rows = []
    for n in range(1, 321):
        business = (n - 1) % 105 + 1
        from_mail, deleted = n <= 210, n % 29 == 0
        status = pick(("pending_review", "approved", "rejected"))
        reviewed = status != "pending_review"
        rows.append(
            (business, "gmail" if from_mail else "upload", f"18f{n:013x}" if from_mail else None, pick(words.VENDORS),
             n * 17.35, "USD" if n % 12 == 0 else "ILS", f"INV-{20_000 + n}", (START + timedelta(days=n)).date(),
             n * 37 % 101 if n % 6 else None, Json({"total": f"{n * 17.35:.2f}", "ספק": "כן"}) if n % 2 else None,
             status, user_of(business) if reviewed else None, at(n + 600) if reviewed else None,
             f"receipts/{business}/{n}.pdf", deleted, at(n + 700) if deleted else None, at(n + 500), at(n + 600)),
        )  # fmt: skip
    yield (
        "receipts",
        (
            "business_id, source, gmail_message_id, vendor_name, amount, currency, invoice_number, "
            "invoice_date, confidence, raw_extraction, status, reviewed_by, reviewed_at, attachment_path, "
            "is_deleted, deleted_at, created_at, updated_at"
        ),
        rows,
    )
    rows = [
        ((n - 1) % 105 + 1, "full" if n <= 105 else "incremental", "running" if n in (3, 50) else "completed",
         (START + timedelta(days=n)).date(), (START + timedelta(days=n + 30)).date(), n * 3, n % 9, n % 4, 0, None,
         False, None, at(n + 500), at(n + 501), None if n in (3, 50) else at(n + 502))
        for n in range(1, 131)
    ]  # fmt: skip
    yield (
        "receipt_sync_runs",
        (
            "business_id, mode, status, from_date, to_date, messages_scanned, receipts_saved, skipped_count, "
            "errors_count, cursor, cancel_requested, error_message, started_at, last_heartbeat_at, "
            "finished_at"
        ),
        rows,
    )
    rows = [
        ((n - 1) % 105 + 1, user_of((n - 1) % 105 + 1), "delete_receipts_all",
         pick(("completed", "completed", "failed", "cancelled")), n * 4, n * 4, n * 4, 0, None, None, False,
         at(n + 3000), at(n + 3001), at(n + 3000), at(n + 3001), at(n + 3001))
        for n in range(1, 111)
    ]  # fmt: skip
    yield (
        "background_jobs",
        (
            "business_id, requested_by_user_id, job_type, status, total, processed, succeeded, failed_count, "
            "last_error, cursor, cancel_requested, created_at, updated_at, started_at, finished_at, "
            "heartbeat_at"
        ),
        rows,
    )
