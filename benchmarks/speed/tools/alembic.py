"""Alembic: one revision per migration, `op.execute` in each, the environment of its generic template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.chain import Migration
from benchmarks.speed.peers import Peers
from benchmarks.speed.process import Command, run
from benchmarks.speed.target import Target
from benchmarks.speed.tools.base import Tool
from benchmarks.speed.tools.bytecode import compile_all

ENVIRONMENT = """\
import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import engine_from_config, pool

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)
config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))

connectable = engine_from_config(
    config.get_section(config.config_ini_section, {}), prefix="sqlalchemy.", poolclass=pool.NullPool
)
with connectable.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""

_REVISION = '''\
"""{name}"""

from alembic import op

revision = "{number:05d}"
down_revision = {down}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""{sql}""")


def downgrade() -> None:
    pass
'''


class Alembic(Tool):
    """`alembic upgrade head`."""

    name = "alembic"
    is_python_peer = True

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def version(self) -> str:
        """Of the package."""
        return self._peers.version(self.name)

    def prepare(self, project: Path, chain: Sequence[Migration]) -> None:
        """`alembic init`, then one revision per migration."""
        init = Command((self._peers.command("alembic"), "init", "migrations"), project)
        run(init, limit=60)
        (project / "migrations" / "env.py").write_text(ENVIRONMENT)
        versions = project / "migrations" / "versions"
        for migration in chain:
            down = f'"{migration.number - 1:05d}"' if migration.number > 1 else "None"
            text = _REVISION.format(name=migration.name, number=migration.number, down=down, sql=migration.sql)
            (versions / f"{migration.stem}.py").write_text(text)
        compile_all(self._peers.python, versions)

    def up(self, project: Path, database: Target) -> Command:
        """Upgrade to the head, in one transaction as its template has it."""
        environment = {"DATABASE_URL": database.url("postgresql+psycopg")}
        return Command((self._peers.command("alembic"), "upgrade", "head"), project, environment)
