"""Settings, from the environment.

For ordinary work the first that is set of `DATABASE_URL_POOLER`, `DATABASE_URL` and `DATABASE_URL_DIRECT` is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

import trueup
from prosaas.errors import SettingsError

_COMPOSE = "docker compose -f docker-compose.yml -f docker-compose.prod.yml"


class Settings(BaseSettings):
    """Everything that a deployment may set. Names are the environment variables', in any case."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    database_url: str = ""
    database_url_pooler: str = ""
    database_url_direct: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    run_migrations: bool = False
    """Migrate when the API starts. Only the API service looks at it."""
    enable_schedulers: bool = True
    """Run periodic jobs. The recordings queue is consumed either way."""
    heartbeat_seconds: float = Field(default=30.0, gt=0)
    worker_concurrency: int = Field(default=8, ge=1)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    prosaas_data_dir: Path = Path(".data")
    """Where `prosaas up` keeps its own PostgreSQL."""
    prosaas_deployment: Literal["local", "compose"] = "local"
    """How this process was started: decides which mending commands are printed."""

    @property
    def urls(self) -> trueup.Urls:
        """Where the database is.

        Raises:
            SettingsError: No URL is set.
        """
        names = ("DATABASE_URL_POOLER", "DATABASE_URL", "DATABASE_URL_DIRECT")
        given = {name: str(getattr(self, name.lower())) for name in names}
        if not any(given.values()):
            message = f"no database: none of {', '.join(names)} is set"
            raise SettingsError(
                message, hint="Set DATABASE_URL, or use `prosaas up`, which starts a PostgreSQL of its own."
            )
        return trueup.urls_from("", given)

    @property
    def has_database(self) -> bool:
        """Whether any URL is set."""
        return bool(self.database_url_pooler or self.database_url or self.database_url_direct)

    @property
    def url(self) -> str:
        """The database for ordinary work, as libpq reads it.

        Raises:
            SettingsError: No URL is set.
        """
        return self.urls.default

    @property
    def migrate_command(self) -> str:
        """What a person types to bring the schema true."""
        return f"{_COMPOSE} run --rm migrate" if self.prosaas_deployment == "compose" else "prosaas migrate"

    @property
    def worker_command(self) -> str:
        """What a person types to start a worker."""
        return f"{_COMPOSE} up -d worker" if self.prosaas_deployment == "compose" else "prosaas worker"


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: A variable has a value that means nothing.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc'])).upper()}={one['input']!r}: {one['msg']}" for one in error.errors()]
        raise SettingsError("; ".join(wrong), hint="Correct the environment variable, or unset it.") from None
