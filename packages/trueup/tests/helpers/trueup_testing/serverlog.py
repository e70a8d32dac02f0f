"""What was really sent, by the server's own log (`log_statement = all`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LOG_SETTINGS = {"log_statement": "all", "log_line_prefix": "@%d@%a@ ", "log_min_messages": "log"}

_ENTRY = re.compile(r"^@(?P<database>[^@]*)@(?P<application>[^@]*)@ (?P<level>[A-Z]+):  (?P<text>.*)$")
_STATEMENT = re.compile(r"^(?:statement|execute [^:]*): (?P<sql>.*)$", re.DOTALL)
_OWN = "/* trueup */"
_SEPARATOR = "\n;\n"
_LOOKS = re.compile(r"^(?:--.*\n)*(?:SELECT|WITH)\b(?s:.*)\b(?:pg_\w+|trueup\.\w+|schema_migrations)\b")
_READ_ONLY = "BEGIN READ ONLY"
_SESSION_READ_ONLY = "SET default_transaction_read_only = on"


@dataclass(frozen=True)
class ServerLog:
    """The log of a server that runs with `LOG_SETTINGS`."""

    path: Path

    def mark(self) -> int:
        """A place in the log: what comes later is behind it."""
        return self.path.stat().st_size

    def messages(self, database: str, since: int) -> list[str]:
        """Every message that trueup sent to a database, as sent."""
        with self.path.open("rb") as log:
            log.seek(since)
            lines = log.read().decode().splitlines()
        found: list[str] = []
        wanted = False
        for line in lines:
            if match := _ENTRY.match(line):
                wanted = (match["database"], match["application"], match["level"]) == (database, "trueup", "LOG")
                if wanted:
                    found.append(match["text"])
            elif wanted:
                found[-1] += "\n" + line.removeprefix("\t")
        return [match["sql"] for text in found if (match := _STATEMENT.match(text))]

    def sent(self, database: str, since: int) -> list[str]:
        """The statements that are not trueup's own bookkeeping or looking, in order."""
        return statements_in(self.messages(database, since))


def statements_in(messages: list[str]) -> list[str]:
    """The statements of plans among messages.

    A transactional step is one message, its statements divided by lines with a semicolon alone; what trueup adds bears
    its comment. Looking is a read-only transaction, or a SELECT on the catalog or the ledger.
    """
    found: list[str] = []
    looking = False
    for message in messages:
        if message.startswith(_READ_ONLY):
            looking = message == _READ_ONLY
        elif looking:
            looking = message != "ROLLBACK"
        elif message.startswith(_OWN):
            found += [part for part in message.split(_SEPARATOR) if not part.startswith(_OWN)]
        elif not _LOOKS.match(message) and message != _SESSION_READ_ONLY:
            found.append(message)
    return found
