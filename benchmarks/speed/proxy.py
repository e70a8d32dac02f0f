"""A proxy in front of the server that counts what a client asks.

It understands just enough of PostgreSQL's protocol, version 3: after the start-up packet every message from the client
is a letter, a length and a body. A client waits for an answer after each Query, Sync and FunctionCall, so that their
number is the number of round trips. Those of the start-up (authentication) are not counted: every client has them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_CANCEL, _TLS, _GSS = 80877102, 80877103, 80877104
_AWAITED = {b"Q": "Query", b"S": "Sync", b"F": "FunctionCall"}
_HEADER = 5  # bytes: letter and length
_LENGTH = 4  # bytes


@dataclass
class Traffic:
    """What clients asked through the proxy.

    Attributes:
        connections: How many were opened.
        round_trips: How often a client waited for the server, start-up aside.
        statements: The texts sent, in order of arrival: simple queries, and those parsed in the extended protocol.
    """

    connections: int = 0
    round_trips: int = 0
    statements: list[str] = field(default_factory=list)


class Reader:
    """Counts the messages in the bytes of one client."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._buffer = b""
        self._started = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        self._buffer += data
        while self._take():
            pass

    def _take(self) -> bool:
        head = 0 if not self._started else 1
        if len(self._buffer) < head + _LENGTH:
            return False
        end = head + int.from_bytes(self._buffer[head : head + _LENGTH], "big")
        if len(self._buffer) < end:
            return False
        message, self._buffer = self._buffer[:end], self._buffer[end:]
        if self._started:
            self._count(message)
        else:
            code = int.from_bytes(message[_LENGTH : 2 * _LENGTH], "big")
            self._started = code not in {_TLS, _GSS, _CANCEL}
            self._traffic.connections += self._started
        return True

    def _count(self, message: bytes) -> None:
        kind, body = message[:1], message[_HEADER:]
        if kind == b"Q":
            self._traffic.statements.append(_text(body))
        elif kind == b"P":
            self._traffic.statements.append(_text(body.split(b"\0", 1)[1]))
        self._traffic.round_trips += kind in _AWAITED


class CountingProxy:
    """Listens on a free port of this machine and hands everything on to one server."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.traffic = Traffic()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # raised by accept() when the listener is closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                reader = Reader(self.traffic)
                threading.Thread(target=_pump, args=(client, server, reader), daemon=True).start()
                threading.Thread(target=_pump, args=(server, client, None), daemon=True).start()


@contextlib.contextmanager
def counting_proxy(host: str, port: int) -> Iterator[CountingProxy]:
    """A proxy for the length of the block."""
    proxy = CountingProxy(host, port)
    try:
        yield proxy
    finally:
        proxy.close()


def _pump(source: socket.socket, sink: socket.socket, reader: Reader | None) -> None:
    with contextlib.suppress(OSError):  # either side may be gone first
        while data := source.recv(65536):
            if reader:
                reader.feed(data)
            sink.sendall(data)
    with contextlib.suppress(OSError):  # it is closed already
        sink.shutdown(socket.SHUT_WR)


def _text(body: bytes) -> str:
    return body.split(b"\0", 1)[0].decode(errors="replace").strip()
