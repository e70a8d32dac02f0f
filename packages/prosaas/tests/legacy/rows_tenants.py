"""Businesses, their people, their leads and their papers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import words
from .sample import (
    BUSINESSES,
    LEADS,
    Json,
    Table,
    at,
    business_of,
    hexadecimal,
    maybe,
    person,
    phone,
    pick,
    user_of,
)


def businesses() -> Iterator[Table]:
    pages: tuple[list[str], ...] = (
        ["leads", "calls", "broadcasts"],
        ["leads", "calls"],
        ["leads", "calls", "receipts", "broadcasts", "calendar"],
        [],
        ["leads", "broadcasts", "scheduled_messages"],
    )
    rows: list[tuple[Any, ...]] = []
    for n in range(1, BUSINESSES + 1):
        trade, kind = words.TRADES[n % len(words.TRADES)]
        name = f"{trade} {pick(words.LAST_NAMES)} {pick(words.TOWNS)}"
        address = f"{pick(words.STREETS)} {n}, {pick(words.TOWNS)}"
        hours = maybe("08:00-18:00", 0.9) or "09:00-17:00"
        tabs = Json({"tabs": ["activity", "reminders", "documents"][: n % 4]}) if n % 3 == 0 else None
        rows.append(
            (name, kind, f"+97233{700_000 + n * 31}", phone(n + 5000), f"office{n}@example.invalid", address, hours,
             maybe("onyx", 0.3), n % 20 != 0, n % 7 != 0, True, "meta" if n % 6 == 0 else "baileys",
             f"whs_{hexadecimal(32)}" if n % 3 else None, Json(pages[n % len(pages)]), tabs, at(n), at(n + 40)),
        )  # fmt: skip
    yield (
        "business",
        (
            "name, business_type, phone_number, whatsapp_number, email, address, working_hours, voice_id, "
            "is_active, calls_enabled, crm_enabled, whatsapp_provider, webhook_secret, enabled_pages, "
            "lead_tabs_config, created_at, updated_at"
        ),
        rows,
    )
    rows = []
    for n in range(1, BUSINESSES * 2 + 1):
        first, last = person()
        role = "owner" if n % 2 else "agent"
        rows.append(
            (f"user{n}@example.invalid", f"scrypt:32768:8:1${hexadecimal(16)}", f"{first} {last}", role,
             (n + 1) // 2, n % 31 != 0, n % 4 != 0, maybe(at(n + 900), 0.7), at(n)),
        )  # fmt: skip
    rows += [
        (f"admin{n}@example.invalid", None, f"מנהל מערכת {n}", "system_admin", None, True, False, None, at(n))
        for n in range(1, 5)
    ]
    yield (
        "users",
        "email, password_hash, name, role, business_id, is_active, push_enabled, last_login, created_at",
        rows,
    )
    opening = {"sun": ["08:00", "18:00"], "mon": ["08:00", "18:00"], "fri": ["08:00", "13:00"]}
    rows = [
        (n, "Asia/Jerusalem" if n % 40 else "Europe/London", (60, 30, 45, 15, 90)[n % 5],
         Json(opening) if n % 4 else None, n % 11 == 0, (30, 14, 60)[n % 3], (0, 60, 120)[n % 3],
         "את/ה נציג/ה של העסק. ענה/י בקצרה ובנימוס." if n % 2 else None, maybe("שלום! איך אפשר לעזור?", 0.5),
         n % 9 != 0, at(n), at(n + 80))
        for n in range(1, BUSINESSES + 1)
        if n % 15  # some never had settings
    ]  # fmt: skip
    yield (
        "business_settings",
        (
            "tenant_id, timezone, slot_size_min, opening_hours_json, allow_24_7, booking_window_days, "
            "min_notice_min, ai_prompt, greeting_message, ai_enabled, created_at, updated_at"
        ),
        rows,
    )


def leads() -> Iterator[Table]:
    rows: list[tuple[Any, ...]] = [
        (business, name, label, color, order, True, name == "new", name in ("new", "won"), at(business), at(business))
        for business in range(1, BUSINESSES + 1)
        for order, (name, label, color) in enumerate(words.STATUSES)
    ]
    yield (
        "lead_statuses",
        "business_id, name, label, color, order_index, is_active, is_default, is_system, created_at, updated_at",
        rows,
    )
    rows = [
        (n, f"רשימת התקשרות {n} – {pick(words.TOWNS)}", f"leads-{n}.xlsx", 4, user_of(n), at(n + 200), at(n + 201))
        for n in range(1, 101)
    ]
    yield (
        "outbound_lead_lists",
        "business_id, name, file_name, total_leads, created_by_user_id, created_at, updated_at",
        rows,
    )
    rows = []
    for n in range(1, LEADS + 1):
        business = business_of(n)
        first, last = person()
        number = phone(n) if n % 25 else None
        email = f"lead{n}@example.invalid" if n % 3 else None
        if n == 7:  # an address that an import took over as it was: longer than 255 characters
            email = f"bounce+{'0123456789abcdef' * 16}=lead{n}@lists.example.invalid"
        rows.append(
            (business, first, last, f"{first} {last}", number, number and f"0{number[4:6]}-{number[6:]}",
             maybe(phone(n + 20_000), 0.2), number and f"{number[1:]}@s.whatsapp.net",
             maybe(f"{10**14 + n * 7}@lid", 0.1), email, pick(words.SOURCES), words.STATUSES[n * 3 % 5][0], n % 50,
             maybe(user_of(business, n), 0.6), business if business <= 100 and n % 2 else None,
             Json([pick(words.TAGS), "לידים"]) if n % 3 == 0 else None, maybe(pick(words.NOTES), 0.4),
             pick(("inbound", "outbound", None)), maybe(at(n + 1000), 0.5), at(n), at(n + 300)),
        )  # fmt: skip
    yield (
        "leads",
        (
            "tenant_id, first_name, last_name, name, phone_e164, phone_raw, phone_whatsapp, whatsapp_jid, "
            "whatsapp_jid_alt, email, source, status, order_index, owner_user_id, outbound_list_id, tags, "
            "notes, last_call_direction, last_contact_at, created_at, updated_at"
        ),
        rows,
    )
    rows = [
        (business_of(n), n if n <= LEADS else None, at(n + 700), pick(words.NOTES), pick(("ui", "push", "whatsapp")),
         user_of(business_of(n), n), maybe(at(n + 701), 0.5), maybe(at(n + 702), 0.3), at(n))
        for n in range(1, 151)
    ]  # fmt: skip
    yield (
        "lead_reminders",
        "business_id, lead_id, due_at, note, channel, created_by, delivered_at, completed_at, created_at",
        rows,
    )
    rows = [
        (business_of(n), n, pick(("status_changed", "note", "call")), Json({"from": "new", "to": "בטיפול", "n": n}),
         at(n + 400), maybe(user_of(business_of(n)), 0.7))
        for n in range(1, 301)
    ]  # fmt: skip
    yield "lead_activities", "business_id, lead_id, type, payload, at, created_by", rows
    rows = [
        (business_of(n), n, user_of(business_of(n), n), f"לחזור ל{pick(words.FIRST_NAMES)}", maybe("דחוף!", 0.2),
         pick(("low", "medium", "high")), pick(("todo", "doing", "done")), at(n + 800), None, at(n), at(n))
        for n in range(1, 151)
    ]  # fmt: skip
    yield (
        "crm_tasks",
        (
            "business_id, lead_id, assigned_to, title, description, priority, status, due_date, completed_at, "
            "created_at, updated_at"
        ),
        rows,
    )


def office() -> Iterator[Table]:
    body = 'הסכם זה נערך ונחתם בין {{business}} לבין {{name}}.\nסכום העסקה: {{amount}} ש"ח.'
    rows: list[tuple[Any, ...]] = [
        (n, f"הסכם שירות {n}", body, Json(["name", "amount"]), n % 13 != 0, at(n), at(n + 3)) for n in range(1, 111)
    ]
    yield "contract_templates", "business_id, name, body, fields, is_active, created_at, updated_at", rows
    rows = []
    for n in range(1, 121):
        signed, sent = n % 3 == 0, n % 3 != 1
        rows.append(
            (business_of(n), n, n if n <= 110 else None, user_of(n), f"הסכם עם {' '.join(person())}", body, n * 250.5,
             "ILS", "signed" if signed else "sent" if sent else "draft", at(n + 100) if sent else None,
             hexadecimal(64) if sent else None, at(n + 1100) if sent else None, at(n + 120) if signed else None,
             " ".join(person()) if signed else None, "203.0.113.7" if signed else None, at(n), at(n + 120)),
        )  # fmt: skip
    yield (
        "contracts",
        (
            "business_id, lead_id, template_id, created_by_user_id, title, body, amount, currency, status, "
            "sent_at, sign_token_hash, sign_token_expires_at, signed_at, signer_name, signer_ip, created_at, "
            "updated_at"
        ),
        rows,
    )
    rows = [
        (business_of(n), *words.FAQS[n % 4], "en" if n % 4 == 3 else "he", n % 5, True, at(n), at(n))
        for n in range(1, 151)
    ]
    yield "faqs", "business_id, question, answer, lang, order_index, is_active, created_at, updated_at", rows
    rows = [
        (n, hexadecimal(64), "Mozilla/5.0 (X11; Linux x86_64)", at(n + 5000), maybe(at(n + 900), 0.2),
         n - 1 if n % 8 == 0 else None, at(n + 800))
        for n in range(1, 141)
    ]  # fmt: skip
    yield "refresh_tokens", "user_id, token_hash, user_agent, expires_at, revoked_at, replaced_by, created_at", rows
    rows = [
        ((n + 1) // 2, n, "webpush", f"https://push.example.invalid/send/{hexadecimal(24)}", hexadecimal(40),
         hexadecimal(16), pick(("Chrome / Android", "Safari / iOS", "Firefox")), True, at(n), maybe(at(n + 70), 0.6))
        for n in range(1, 131)
    ]  # fmt: skip
    yield (
        "push_subscriptions",
        "business_id, user_id, channel, endpoint, p256dh, auth, device_info, is_active, created_at, last_used_at",
        rows,
    )
    rows = [
        (business_of(n), user_of(business_of(n)), pick(("login", "lead.update", "export")), "lead", n,
         Json({"שדה": "סטטוס", "n": n}), "198.51.100.23", at(n))
        for n in range(1, 161)
    ]  # fmt: skip
    yield "audit_log", "business_id, user_id, action, entity, entity_id, details, ip_address, created_at", rows
    rows = [
        (business_of(n), user_of(business_of(n)), "reminder", f"תזכורת: {pick(words.NOTES)}", None, f"/leads/{n}",
         maybe(at(n + 5), 0.5), at(n))
        for n in range(1, 131)
    ]  # fmt: skip
    yield "notifications", "business_id, user_id, type, title, body, link, read_at, created_at", rows
