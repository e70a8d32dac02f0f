"""Django: one migration with one `RunSQL` per migration of the chain, in a project with nothing else in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.chain import Migration
from benchmarks.speed.peers import Peers
from benchmarks.speed.process import Command
from benchmarks.speed.target import Target
from benchmarks.speed.tools.base import Tool
from benchmarks.speed.tools.bytecode import compile_all

SETTINGS = """\
import os

SECRET_KEY = "benchmark"
INSTALLED_APPS = ["app"]
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["DB_HOST"],
        "PORT": os.environ["DB_PORT"],
        "USER": os.environ["DB_USER"],
        "PASSWORD": os.environ["DB_PASSWORD"],
        "NAME": os.environ["DB_NAME"],
        "OPTIONS": {"sslmode": "disable"},
    }
}
"""

MANAGE = """\
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""

_MIGRATION = '''\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [{dependency}]
    operations = [migrations.RunSQL("""{sql}""")]
'''


class Django(Tool):
    """`python manage.py migrate`."""

    name = "django"
    is_python_peer = True

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def version(self) -> str:
        """Of the package."""
        return self._peers.version(self.name)

    def prepare(self, project: Path, chain: Sequence[Migration]) -> None:
        """A project of one application without models."""
        (project / "settings.py").write_text(SETTINGS)
        (project / "manage.py").write_text(MANAGE)
        migrations = project / "app" / "migrations"
        migrations.mkdir(parents=True)
        for package in (migrations.parent, migrations):
            (package / "__init__.py").touch()
        before = ""
        for migration in chain:
            text = _MIGRATION.format(dependency=before and f'("app", "{before}")', sql=migration.sql)
            (migrations / f"{migration.stem}.py").write_text(text)
            before = migration.stem
        compile_all(self._peers.python, project)

    def up(self, project: Path, database: Target) -> Command:
        """Migrate; each migration in its own transaction, as is its way."""
        return Command((self._peers.python, "manage.py", "migrate"), project, environment_of(database))


def environment_of(database: Target) -> dict[str, str]:
    """What the settings read."""
    return {
        "DB_HOST": database.host,
        "DB_PORT": str(database.port),
        "DB_USER": database.user,
        "DB_PASSWORD": database.password,
        "DB_NAME": database.dbname,
    }
