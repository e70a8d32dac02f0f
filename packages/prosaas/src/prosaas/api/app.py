"""The FastAPI application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from prosaas.api import health
from prosaas.api.migration import Migration
from prosaas.api.readiness import Readiness
from prosaas.database import make_engine
from prosaas.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """Make the application.

    With RUN_MIGRATIONS=1 it migrates in the background when it starts; it stays up if that fails, and `/api/ready` says
    why.

    Raises:
        SettingsError: No database is set.
    """
    engine = make_engine(settings.url)
    migration = Migration(settings.urls) if settings.run_migrations else None

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if migration:
            migration.start()
        yield
        engine.dispose()

    app = FastAPI(title="ProSaaS", docs_url="/api/docs", openapi_url="/api/openapi.json", lifespan=lifespan)
    app.state.readiness = Readiness(settings=settings, engine=engine, migration=migration)
    app.include_router(health.router)
    return app
