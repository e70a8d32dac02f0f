"""Which URL is used, and that no password is ever shown."""

from __future__ import annotations

import pytest

from trueup.connect.urls import hidden, libpq_url, urls_from, without_password
from trueup.errors import UsageError

pytestmark = pytest.mark.unit

POOLER, DIRECT, PLAIN = "postgresql://pooler/db", "postgresql://direct/db", "postgresql://plain/db"


@pytest.mark.parametrize(
    "environment, default, direct, name",
    [
        ({"DATABASE_URL": PLAIN}, PLAIN, "", "DATABASE_URL"),
        ({"DATABASE_URL": PLAIN, "DATABASE_URL_POOLER": POOLER}, POOLER, "", "POOLER"),
        ({"DATABASE_URL_POOLER": POOLER, "DATABASE_URL_DIRECT": DIRECT}, POOLER, DIRECT, "POOLER"),
        ({"DATABASE_URL": PLAIN, "DATABASE_URL_DIRECT": DIRECT}, PLAIN, DIRECT, "DATABASE_URL"),
        ({"DATABASE_URL_DIRECT": DIRECT}, DIRECT, "", "DIRECT"),
        ({"DATABASE_URL": PLAIN, "DATABASE_URL_DIRECT": PLAIN}, PLAIN, "", "DATABASE_URL"),
    ],
)
def test_the_pooler_is_the_default(environment: dict[str, str], default: str, direct: str, name: str) -> None:
    assert (default, direct, name) == tuple(urls_from(environment=environment))


def test_a_flag_wins_over_the_environment() -> None:
    urls = urls_from("postgresql://flag/db", {"DATABASE_URL": PLAIN, "DATABASE_URL_DIRECT": DIRECT})

    assert ("postgresql://flag/db", "", "DATABASE_URL") == tuple(urls)


def test_no_url_names_flag_and_variables() -> None:
    with pytest.raises(UsageError, match="no database URL") as caught:
        urls_from(environment={})

    assert "--database-url" in caught.value.hint
    assert "DATABASE_URL_POOLER" in caught.value.hint


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+asyncpg", "postgres+psycopg2"])
def test_a_url_of_sqlalchemy_is_read(driver: str) -> None:
    assert libpq_url(f"{driver}://u@h/db") == f"{driver.split('+', maxsplit=1)[0]}://u@h/db"


ODD = [
    "postgresql://u:s3cret@h:5432/db",
    "postgresql+psycopg://u:s3cret@h/db",
    "postgresql://:s3cret@h/db",
    "postgresql://u:s3%40cret@h/db",
    "postgresql://u:s3@cret@h/db",
    "postgresql://u:s3/cret@h/db",
    "postgresql://u:s3:cret@h/db",
    "postgresql://u:s3?cret@h/db",
    "postgresql://u:s3#cret@h/db",
    "postgresql://u:s3 cret@h/db",
    "postgresql://u:s3'cret@h/db",
    "postgresql://u:s3cret@h1:5432,h2:5433/db",
    "postgresql://u:s3cret@[::1]:5432/db",
    "postgresql://h/db?user=u&password=s3cret",
    "postgresql://h/db?password=s3cret&user=u",
    "postgresql://h/db?sslpassword=s3cret",
    "postgresql://u@h/db?passwor=s3cret",
    "jdbc:postgresql://h/db?user=u&password=s3cret",
    "mysql://u:s3cret@h/db",
    "u:s3cret@h/db",
    "postgres:/u:s3cret@h/db",
    "host=h password=s3cret dbname=db",
    "host=h password='s3 cret' dbname=db",
    r"host=h password = 's3\'cret' dbname=db",
    "host=h PASSWORD=s3cret",
    "host=h sslpassword=s3cret",
    "host=h password='s3cret",
]


@pytest.mark.parametrize("url", ODD)
def test_a_password_is_hidden_however_odd_the_url(url: str) -> None:
    shown = without_password(url)

    assert "s3" not in shown
    assert "cret" not in shown
    assert "***" in shown


@pytest.mark.parametrize("url", ["postgresql://u@h:5432/db", "postgresql:///db?host=/run/pg&port=5432", "dbname=x"])
def test_what_has_no_password_is_shown_as_it_is(url: str) -> None:
    assert url == without_password(url)


@pytest.mark.parametrize(
    "said, url",
    [
        ("failed to resolve host 'cret@h'", "postgresql://u:s3@cret@h/db"),
        ('missing "=" after "u:s3cret@h/db"', "u:s3cret@h/db"),
        ('invalid percent-encoded token: "s3%zzcret"', "postgresql://u:s3%zzcret@h/db"),
        ('unexpected spaces found in "s3 cret"', "postgresql://u:s3 cret@h/db"),
        ("bad option s3cret", "host=h password=s3cret"),
    ],
)
def test_pieces_that_a_driver_quotes_are_hidden(said: str, url: str) -> None:
    shown = hidden(said, url)

    assert "s3" not in shown
    assert "cret" not in shown
    assert said.split(maxsplit=1)[0] == shown.split()[0]


def test_a_user_s_name_is_shown_even_where_it_is_the_password() -> None:
    said = 'password authentication failed for user "postgres"'

    assert said == hidden(said, "postgresql://postgres:postgres@h/db")
