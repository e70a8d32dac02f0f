"""Which database a tool is pointed at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from benchmarks.speed.errors import UnusableServerError


@dataclass(frozen=True)
class Target:
    """One database, reached over TCP: every tool understands that, and the round trips can be counted."""

    host: str
    port: int
    user: str
    password: str
    dbname: str

    @classmethod
    def parse(cls, dsn: str) -> Target:
        """Read a URL or a key=value string.

        Raises:
            UnusableServerError: It names no host, or a unix socket.
        """
        said = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
        host = said.get("host", "")
        if not host or host.startswith("/"):
            message = "TRUEUP_BENCH_DSN must name a host, for the round trips are counted by a TCP proxy"
            raise UnusableServerError(message)
        user = said.get("user", "postgres")
        port = int(said.get("port", "5432"))
        return cls(host=host, port=port, user=user, password=said.get("password", ""), dbname=said.get("dbname", user))

    def database(self, dbname: str) -> Target:
        """Another database on the same server."""
        return replace(self, dbname=dbname)

    def through(self, port: int) -> Target:
        """The same database through a proxy on this machine."""
        return replace(self, host="127.0.0.1", port=port)

    def url(self, scheme: str = "postgresql") -> str:
        """The URL, without TLS: one behaviour for all drivers, and one round trip less for each."""
        login = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        return f"{scheme}://{login}@{self.host}:{self.port}/{self.dbname}?sslmode=disable"
