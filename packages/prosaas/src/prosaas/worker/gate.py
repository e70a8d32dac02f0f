"""The schema check that a worker makes before it takes work."""

from __future__ import annotations

import enum

import structlog

import trueup
from prosaas.schema.chains import open_chains
from prosaas.settings import Settings

log = structlog.get_logger()


class Gate(enum.Enum):
    """What the check found."""

    OPEN = "the schema is what the code needs"
    CLOSED = "something is missing"
    UNKNOWN = "the database could not be asked"


def check_schema(settings: Settings) -> Gate:
    """Look whether the database has what this worker needs, and log what is missing and the command that mends it."""
    with open_chains() as chains:
        for chain in chains:
            try:
                trueup.require(settings.urls, chain.path, name=chain.name, tables=chain.needed)
                trueup.require(settings.urls, chain.path, name=chain.name)
            except trueup.DatabaseIsNewer as error:  # an older image in a rolling deployment: it has all we need
                log.info("the database is newer than this code", chain=chain.name, detail=error.message)
            except trueup.ConnectionFailed as error:
                log.warning("could not check the schema; going on", chain=chain.name, reason=error.message)
                return Gate.UNKNOWN
            except trueup.SchemaNotTrue as error:
                log.error("the schema is not up to date; this worker takes no work", chain=chain.name)
                for missing in error.missing:
                    log.error("missing in the database", what=missing)
                log.error("mend it with this command", command=settings.migrate_command)
                return Gate.CLOSED
            except trueup.TrueupError as error:
                log.error(
                    "the schema cannot be judged; this worker takes no work", reason=error.message, hint=error.hint
                )
                return Gate.CLOSED
    return Gate.OPEN
