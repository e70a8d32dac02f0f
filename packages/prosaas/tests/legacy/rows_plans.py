"""What is planned: broadcasts, calendars, appointments, scheduled messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from . import words
from .sample import (
    BUSINESSES,
    Json,
    Table,
    at,
    lead_of,
    maybe,
    person,
    phone,
    pick,
    user_of,
)


def broadcasts() -> Iterator[Table]:
    rows: list[tuple[Any, ...]] = [
        (n, user_of(n), f"מבצע חג {n}", None, "20% הנחה לכל לקוחותינו עד סוף החודש!", Json({"status": ["new", "won"]}),
         "completed" if n % 4 else "draft", 3, 3 if n % 4 else 0, 0, at(n + 1500), at(n + 1501) if n % 4 else None,
         at(n + 1502) if n % 4 else None)
        for n in range(1, 111)
    ]  # fmt: skip
    yield (
        "whatsapp_broadcasts",
        (
            "business_id, created_by_user_id, name, template_name, message_text, audience_filter, status, "
            "total_recipients, sent_count, failed_count, created_at, started_at, completed_at"
        ),
        rows,
    )
    rows = []
    for broadcast in range(1, 111):
        for k in range(3):
            lead = lead_of(broadcast, k)
            sent = broadcast % 4 != 0
            rows.append(
                (broadcast, broadcast, lead, phone(lead), "sent" if sent else "queued",
                 f"3EB1{broadcast:06X}{k:02X}" if sent else None, None, at(broadcast + 1500),
                 at(broadcast + 1501) if sent else None, maybe(at(broadcast + 1502), 0.8) if sent else None),
            )  # fmt: skip
    yield (
        "whatsapp_broadcast_recipients",
        (
            "broadcast_id, business_id, lead_id, phone, status, provider_message_id, error_message, "
            "created_at, sent_at, delivered_at"
        ),
        rows,
    )
    rows = [
        (n, n, "completed" if n % 4 else "queued", 3 if n % 4 else 0, False, None, None, None, at(n + 1500), None, None)
        for n in range(1, 111)
    ]
    yield (
        "broadcast_jobs",
        (
            "business_id, broadcast_id, status, cursor_position, cancel_requested, locked_by_worker, lock_ts, "
            "last_error, created_at, started_at, completed_at"
        ),
        rows,
    )


def calendars() -> Iterator[Table]:
    default, empty = "לוח ברירת מחדל", Json([])
    rows: list[tuple[Any, ...]] = [
        (n, default, "default", "internal", None, True, 1, 60, empty, at(n + 4000), at(n + 4000)) for n in range(1, 99)
    ]
    rows += [  # two businesses that made their own and have no default one
        (n, f"חדר טיפולים {n}", None, "google", f"cal{n}@group.calendar.example.invalid", True, 5, 45,
         Json(["טיפול"]), at(n + 4000), at(n + 4000))
        for n in (99, 100)
    ]  # fmt: skip
    rows += [
        (n, "סניף צפון", "branch", "internal", None, n != 3, 2, 30, Json(["צפון", "VIP"]), at(n + 4100), at(n + 4100))
        for n in range(1, 6)
    ]
    yield (
        "business_calendars",
        (
            "business_id, name, type_key, provider, calendar_external_id, is_active, priority, "
            "default_duration_minutes, allowed_tags, created_at, updated_at"
        ),
        rows,
    )
    yield "appointments", (
        "business_id, lead_id, call_log_id, title, description, start_time, end_time, status, appointment_type, "
        "location, source, contact_name, contact_phone, contact_email, created_by, created_at, updated_at"
    ), appointments()  # fmt: skip


def appointments() -> list[tuple[Any, ...]]:
    """Each business's appointments are on days of their own, but for the ones that overlap on purpose."""
    rows: list[tuple[Any, ...]] = []
    for n in range(400):
        business, k = n % BUSINESSES + 1, n // BUSINESSES
        start = datetime(2025, 6, 1) + timedelta(days=k * 200 + business, hours=6 + n % 9, minutes=n % 2 * 30)
        past = "completed" if k < 2 else "scheduled"
        rows.append(_appointment(n, business, start, pick(("scheduled", past, past, "cancelled"))))
    for n, victim in enumerate((4, 37, 88, 364, 371, 390)):  # booked twice, some of them still to come
        business, start = rows[victim][0], rows[victim][5]
        rows[victim] = (*rows[victim][:7], "scheduled", *rows[victim][8:])
        rows.append(_appointment(400 + n, business, start + timedelta(minutes=30), "scheduled"))
    start = datetime(2027, 9, 9, 9, 0)
    whole_day = _appointment(406, 60, start, "scheduled")  # ends as it begins, as a calendar import left it
    rows.append((*whole_day[:6], start, *whole_day[7:]))
    return rows


def _appointment(n: int, business: int, start: datetime, status: str) -> tuple[Any, ...]:
    lead = lead_of(business, n)
    return (
        business, lead if n % 8 else None, None, f"{pick(words.APPOINTMENTS)} – {pick(words.FIRST_NAMES)}",
        maybe(pick(words.NOTES), 0.3), start, start + timedelta(minutes=(60, 45, 90)[n % 3]), status, "meeting",
        maybe(f"{pick(words.STREETS)} {n}, {pick(words.TOWNS)}", 0.3), pick(("manual", "ai_call", "whatsapp")),
        " ".join(person()), phone(lead), None, maybe(user_of(business), 0.5), start - timedelta(days=9),
        start - timedelta(days=8),
    )  # fmt: skip


def scheduled_messages() -> Iterator[Table]:
    rows: list[tuple[Any, ...]] = []
    for n in range(1, 121):
        name, text, delay = words.RULES[n % 3]
        window = ("09:00", "20:30") if n % 2 else (None, None)
        rows.append((n, name, n % 9 != 0, None, text, delay, *window, user_of(n), at(n + 4200), at(n + 4200)))
    yield (
        "scheduled_message_rules",
        (
            "business_id, name, is_active, template_name, message_text, delay_minutes, send_window_start, "
            "send_window_end, created_by_user_id, created_at, updated_at"
        ),
        rows,
    )
    yield (
        "scheduled_rule_statuses",
        "rule_id, status_id",
        [(n, (n - 1) * 5 + 1 + k) for n in range(1, 121) for k in range(1 + n % 2)],
    )
    rows = []
    for n in range(1, 241):
        rule = (n - 1) % 120 + 1
        lead = lead_of(rule, n // 120)
        rows.append(
            (rule, rule, lead, words.RULES[rule % 3][1].replace("{{name}}", pick(words.FIRST_NAMES)),
             f"{phone(lead)[1:]}@s.whatsapp.net", at(n + 4300), pick(("pending", "sent", "failed")),
             f"{rule}:{lead}:{n}", at(n + 4250), at(n + 4300)),
        )  # fmt: skip
    yield (
        "scheduled_messages_queue",
        (
            "business_id, rule_id, lead_id, message_text, remote_jid, scheduled_for, status, dedupe_key, "
            "created_at, updated_at"
        ),
        rows,
    )
