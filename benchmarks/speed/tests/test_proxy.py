"""The reader counts what a client waits for, however its bytes are cut."""

import struct

import pytest
from benchmarks.speed.proxy import Reader, Traffic

pytestmark = pytest.mark.unit

TLS_REQUEST = struct.pack("!ii", 8, 80877103)
START_UP = struct.pack("!ii", 8 + 7, 196608) + b"user\0x\0"


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", 4 + len(body)) + body


def read(stream: bytes, *, pieces: int) -> Traffic:
    traffic = Traffic()
    reader = Reader(traffic)
    for start in range(0, len(stream), pieces):
        reader.feed(stream[start : start + pieces])
    return traffic


@pytest.mark.parametrize("pieces", [1, 3, 7, 10_000])
def test_counts_queries_and_syncs(pieces: int) -> None:
    extended = message(b"P", b"name\0SELECT $1\0\0\0") + message(b"B") + message(b"E") + message(b"S")
    stream = TLS_REQUEST + START_UP + message(b"Q", b"SELECT 1;\0") + extended + message(b"X")

    traffic = read(stream, pieces=pieces)

    assert 1 == traffic.connections
    assert 2 == traffic.round_trips
    assert ["SELECT 1;", "SELECT $1"] == traffic.statements


def test_pipeline_with_one_sync_is_one_round_trip() -> None:
    part = message(b"P", b"\0SELECT 1\0\0\0") + message(b"B") + message(b"E")

    assert 1 == read(START_UP + 3 * part + message(b"S"), pieces=10_000).round_trips


def test_start_up_alone_is_no_round_trip() -> None:
    assert Traffic(connections=1) == read(START_UP, pieces=10_000)
