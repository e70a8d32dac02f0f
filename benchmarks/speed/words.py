"""The vocabulary that the benchmark's chain is written with: areas, nouns and columns of a business application."""

from __future__ import annotations

from dataclasses import dataclass

AREAS = (
    "account", "asset", "audit", "billing", "booking", "call", "campaign", "cart", "catalog", "chat",
    "content", "contract", "crm", "delivery", "device", "document", "event", "expense", "feed", "finance",
    "form", "hr", "identity", "import", "inventory", "lead", "loyalty", "mail", "market", "media",
    "note", "order", "partner", "payment", "payroll", "policy", "pricing", "project", "quality", "quote",
    "report", "return", "risk", "sales", "shop", "stock", "support", "survey", "task", "tax",
)  # fmt: skip

NOUNS = (
    "accounts", "activities", "addresses", "agents", "alerts", "attachments", "batches", "calendars", "categories",
    "channels", "comments", "contacts", "credentials", "customers", "entries", "exports", "files", "groups", "imports",
    "invoices", "items", "jobs", "labels", "ledgers", "lines", "links", "lists", "members", "messages", "notes",
    "notifications", "options", "owners", "periods", "permissions", "plans", "preferences", "queues", "rates",
    "records", "requests", "revisions", "rules", "schedules", "sessions", "settings", "slots", "sources", "stages",
    "statuses", "steps", "tags", "targets", "templates", "tickets", "tokens", "transfers", "types", "users", "versions",
)  # fmt: skip


@dataclass(frozen=True)
class Word:
    """A column as people name it: `sql` is the type with what follows it, `check` a condition on it or nothing."""

    name: str
    sql: str
    check: str = ""

    @property
    def is_text(self) -> bool:
        """Whether `lower()` and `LIKE` make sense for it."""
        return self.sql.startswith(("text ", "character varying")) or self.sql == "text"

    @property
    def is_compound(self) -> bool:
        """Whether it is a document or an array, which nobody puts into a btree."""
        return self.sql.startswith(("jsonb", "text[]"))


COLUMNS = (
    Word("title", "character varying(200)", "length(title) > 0"),
    Word("description", "text"),
    Word("email", "character varying(255)", "email LIKE '%_@_%'"),
    Word("phone", "character varying(32)"),
    Word("status", "character varying(32) NOT NULL DEFAULT 'new'", "status IN ('new', 'active', 'closed')"),
    Word("priority", "smallint NOT NULL DEFAULT 0", "priority BETWEEN 0 AND 9"),
    Word("amount", "numeric(12, 2) NOT NULL DEFAULT 0", "amount >= 0"),
    Word("currency", "character(3) NOT NULL DEFAULT 'EUR'", "currency = upper(currency)"),
    Word("quantity", "integer NOT NULL DEFAULT 1", "quantity > 0"),
    Word("position", "integer", "position >= 0"),
    Word("external_id", "character varying(64)"),
    Word("payload", "jsonb NOT NULL DEFAULT '{}'::jsonb"),
    Word("labels", "text[] NOT NULL DEFAULT '{}'::text[]"),
    Word("is_active", "boolean NOT NULL DEFAULT true"),
    Word("is_internal", "boolean NOT NULL DEFAULT false"),
    Word("started_at", "timestamp with time zone"),
    Word("finished_at", "timestamp with time zone"),
    Word("due_on", "date"),
    Word("opens", "time without time zone"),
    Word("duration", "interval", "duration >= interval '0 seconds'"),
    Word("score", "double precision", "score >= 0 AND score <= 1"),
    Word("attempts", "integer NOT NULL DEFAULT 0", "attempts >= 0"),
    Word("last_error", "text"),
    Word("locale", "character varying(8) NOT NULL DEFAULT 'en'"),
    Word("time_zone", "character varying(64) NOT NULL DEFAULT 'UTC'"),
    Word("token", "uuid NOT NULL DEFAULT gen_random_uuid()"),
    Word("digest", "bytea"),
    Word("source", "character varying(64)"),
    Word("address", "inet"),
    Word("deleted_at", "timestamp with time zone"),
    Word("archived_at", "timestamp with time zone"),
    Word("created_by", "bigint"),
    Word("updated_by", "bigint"),
    Word("retries", "smallint NOT NULL DEFAULT 3", "retries >= 0"),
    Word("percentage", "numeric(5, 2)", "percentage BETWEEN 0 AND 100"),
    Word("notes", "text"),
)
