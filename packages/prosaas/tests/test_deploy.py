"""The deployment's files name settings, commands and services that there are. No Docker is needed for that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from prosaas.cli import main
from prosaas.settings import Settings

pytestmark = pytest.mark.unit

DEPLOY = Path(__file__).parents[3] / "deploy"
FILES = [DEPLOY / "docker-compose.yml", DEPLOY / "docker-compose.prod.yml"]


def services(path: Path) -> dict[str, str]:
    """Each service of a compose file, as it is written."""
    _, _, text = path.read_text().partition("\nservices:\n")
    parts = re.split(r"^  ([\w-]+):\n", text.partition("\nvolumes:")[0], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_is_a_setting(path: Path) -> None:
    known = {name.upper() for name in Settings.model_fields} | {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"}
    named = set(re.findall(r"^\s+([A-Z][A-Z_]+): ", path.read_text(), re.MULTILINE))

    assert named
    assert named <= known


def test_every_command_is_one() -> None:
    commands = re.findall(r"command: \[prosaas, (\w+)\]", FILES[0].read_text())

    assert ["migrate", "api", "worker"] == commands
    assert set(commands) <= set(main.commands)


def test_the_api_and_the_worker_wait_for_the_migration_to_end_well() -> None:
    first, production = (services(path) for path in FILES)
    waits = FILES[0].read_text().partition("x-after-migration: &after-migration\n")[2].partition("\nservices:")[0]

    assert "migrate:\n    condition: service_completed_successfully" in waits
    assert all("depends_on: *after-migration" in first[name] for name in ("prosaas-api", "worker"))
    assert 'restart: "no"' in first["migrate"]
    assert 'RUN_MIGRATIONS: "0"' in first["prosaas-api"]
    assert "restart" not in production["migrate"]
    assert set(production) <= set(first)


def test_the_commands_that_mend_are_the_deployment_s() -> None:
    settings = Settings.model_validate({"database_url": "postgresql://x", "prosaas_deployment": "compose"})
    script = (DEPLOY / "deploy_production.sh").read_text()

    for command in (settings.migrate_command, settings.worker_command):
        words = command.split()
        files = [word for word in words if word.endswith(".yml")]
        assert [path.name for path in FILES] == files
        assert words[-1] in services(FILES[0])
    assert " ".join(settings.migrate_command.split()[:6]) in script
