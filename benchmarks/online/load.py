"""The steady load: clients that do one statement every so often, whatever happens to the statements before.

A process of its own (`python -m benchmarks.online.load`), so that nothing but the server makes it wait. It writes
`ready` when every client is connected, ends when its standard input does, and then writes what it has seen.

A statement's `wait` counts from the moment at which it was due, so that a client that is held up does not hide those
that it could not send meanwhile; `took` counts from when it was sent.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from dataclasses import astuple, dataclass

import psycopg

_MIX = (  # up to which share, what
    (0.60, "read", "SELECT number, amount FROM orders WHERE id = {id}"),
    (0.85, "update", "UPDATE orders SET amount = amount + 1 WHERE id = {id}"),
    (0.95, "insert line", "INSERT INTO lines (order_id, quantity) VALUES ({id}, 1)"),
    (1.00, "insert order", "INSERT INTO orders (customer_id, amount, region) VALUES ({id}, 1, 'r')"),
)


@dataclass(frozen=True)
class Seen:
    """One statement of a client: when it was due (seconds since the epoch), and how long it was waited for."""

    due: float
    wait: float
    took: float
    kind: str
    error: str = ""


class Client(threading.Thread):
    """One connection that does something every `period` seconds."""

    def __init__(self, dsn: str, rows: int, period: float, stop: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self._dsn, self._rows, self._period, self._stop_asked = dsn, rows, period, stop
        self._random = random.Random(seed)
        self._conn = self._connect()
        self.seen: list[Seen] = []

    def run(self) -> None:
        """Until it is told to stop."""
        due = time.time() + self._random.random() * self._period
        while not self._stop_asked.wait(max(due - time.time(), 0)):
            self._one(due)
            due += self._period
            while due + self._period < time.time():  # what could not be sent has waited too
                self.seen.append(Seen(due, time.time() - due, 0.0, "held up"))
                due += self._period

    def _one(self, due: float) -> None:
        kind, text = self._choose()
        sent = time.time()
        error = ""
        try:
            self._conn.execute(text.encode(), prepare=False)
        except psycopg.Error as failure:
            error = str(failure).strip().partition("\n")[0]
            if self._conn.closed:
                self._conn = self._connect()
        now = time.time()
        self.seen.append(Seen(due, now - due, now - sent, kind, error))

    def _choose(self) -> tuple[str, str]:
        point = self._random.random()
        _, kind, text = next(one for one in _MIX if point < one[0])
        return kind, text.format(id=self._random.randint(1, self._rows))

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._dsn, autocommit=True, application_name="load")


def main() -> int:
    """Run the clients until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="statements per second of all clients")
    options = parser.parse_args()
    stop = threading.Event()
    period = options.clients / options.rate
    clients = [Client(options.dsn, options.rows, period, stop, seed) for seed in range(options.clients)]
    for client in clients:
        client.start()
    print("ready", flush=True)
    sys.stdin.read()
    stop.set()
    for client in clients:
        client.join()
    seen = sorted((one for client in clients for one in client.seen), key=lambda one: one.due)
    json.dump([astuple(one) for one in seen], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
