"""The chain is the same for everyone, and a longer one begins with the shorter one."""

import pytest
from benchmarks.speed.chain import build_chain

pytestmark = pytest.mark.unit


def test_same_seed_gives_the_same_chain() -> None:
    assert build_chain(300) == build_chain(300)


def test_other_seed_gives_another_chain() -> None:
    assert build_chain(300) != build_chain(300, seed=1)


def test_longer_chain_begins_with_the_shorter_one() -> None:
    assert build_chain(100) == build_chain(1_000)[:100]


def test_file_names_are_in_order_and_unique() -> None:
    stems = [migration.stem for migration in build_chain(1_000)]

    assert stems == sorted(set(stems))


def test_names_fit_postgresql() -> None:
    assert all(len(migration.stem) < 100 for migration in build_chain(5_000))


def test_mix_is_that_of_a_business_application() -> None:
    statements = [migration.sql for migration in build_chain(1_000)]

    def share(start: str, inside: str = "") -> float:
        return sum(one.startswith(start) and inside in one for one in statements) / len(statements)

    assert 0.15 < share("CREATE TABLE") < 0.30
    assert 0.25 < share("ALTER TABLE", "ADD COLUMN") < 0.40
    assert 0.15 < share("CREATE INDEX") < 0.30
    assert 0.05 < share("ALTER TABLE", "ADD CONSTRAINT") < 0.20
    assert 0.03 < share("CREATE FUNCTION") < 0.15
