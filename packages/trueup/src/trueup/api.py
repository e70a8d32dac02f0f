"""The library: what the command line does, as functions that return the same typed report.

Imports stay inside the functions where they can: a run that finds nothing to do must not pay for the parser.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from trueup.chain.files import digest as digest_of
from trueup.chain.files import in_order, unordered
from trueup.chain.header import read_header
from trueup.connect.urls import Urls, urls_from
from trueup.errors import LockFileError, SchemaNotTrue

if TYPE_CHECKING:
    from trueup.chain.files import MigrationFile
    from trueup.chain.model import LockedChain
    from trueup.connect.link import Link
    from trueup.planning.model import Plan
    from trueup.planning.part import Part
    from trueup.report import Event, Report
    from trueup.run.assess import Options
    from trueup.run.bring import Bringing

ChainLike = str | Path
OnEvent = Callable[["Event"], None]
_SHOWN = 8  # of many missing steps


def up(
    url: str | Urls,
    chain: ChainLike,
    *,
    name: str = "",
    options: Options | None = None,
    on_event: OnEvent = lambda _: None,
) -> Report:
    """Bring a database up to date with a chain.

    Args:
        url: A libpq or SQLAlchemy URL; empty: from the environment.
        chain: The folder of migrations, with its lock file.
        name: The chain's name; by default the folder's parent's.
        options: Target, phase, healing, limits.
        on_event: Called for every line that a person would read.

    Raises:
        TrueupError: see `trueup.errors`; each has an exit code and a hint.
    """
    started = time.monotonic()
    urls, fitting = _urls(url), _fitting(chain, name)
    looked = any(each is fitting for _, each in _kept)
    with _opened(urls) as holding:
        report = None
        if not looked:
            with suppress(psycopg.OperationalError):  # a connection that is lost is mended below
                report = _look(holding[0], fitting.folder, fitting.name, options)
        if report is None:
            report = _bringing(urls, holding, fitting, options, on_event).up()
    report.ms = (time.monotonic() - started) * 1000
    return report


def plan(
    url: str | Urls,
    chain: ChainLike,
    *,
    name: str = "",
    options: Options | None = None,
) -> Report:
    """What `up` would do, statement by statement. Writes nothing."""
    started = time.monotonic()
    urls, fitting = _urls(url), _fitting(chain, name)
    with _opened(urls) as holding:
        report = _plan(urls, holding, fitting, options)
    report.ms = (time.monotonic() - started) * 1000
    return report


def check(url: str | Urls, chain: ChainLike, *, name: str = "", options: Options | None = None) -> Report:
    """Is it true? One round trip where nothing has changed since the last proof. Writes nothing."""
    started = time.monotonic()
    urls, fitting = _urls(url), _fitting(chain, name)
    with _opened(urls) as holding:
        report = _look(holding[0], fitting.folder, fitting.name, options)
        report = report or _plan(urls, holding, fitting, options)
    report.ms = (time.monotonic() - started) * 1000
    return report


def resolve(
    url: str | Urls,
    chain: ChainLike,
    *,
    name: str = "",
    options: Options,
    on_event: OnEvent = lambda _: None,
) -> Report:
    """A person's word: mark `options.applied` as done, and send `options.run`. Nothing else is done."""
    urls, fitting = _urls(url), _fitting(chain, name)
    with _opened(urls) as holding:
        return _bringing(urls, holding, fitting, options, on_event).resolve()


def backfill(
    url: str | Urls,
    chain: ChainLike,
    *,
    name: str = "",
    steps: Sequence[str] = (),
    jobs: int = 1,
    options: Options | None = None,
    on_event: OnEvent = lambda _: None,
) -> Report:
    """Carry out pending backfills and nothing else, through the default URL: those of `steps`, or all that can be.

    Args:
        jobs: So many at once, where they touch different tables.

    Raises:
        TrueupError: as `up` does; DecisionNeeded where one of `steps` waits for something else.
    """
    from trueup.planning.part import backfills

    return _partly(
        url, chain, name, select=backfills, what="backfill", steps=steps, jobs=jobs, options=options, on_event=on_event
    )


def index(
    url: str | Urls,
    chain: ChainLike,
    *,
    name: str = "",
    steps: Sequence[str] = (),
    options: Options | None = None,
    on_event: OnEvent = lambda _: None,
) -> Report:
    """Build missing indexes and do nothing else, CONCURRENTLY and one after the other, through the default URL.

    Raises:
        TrueupError: as `up` does; SessionNeeded behind a pooler of transactions.
    """
    from trueup.planning.part import index_builds

    return _partly(url, chain, name, select=index_builds, what="index", steps=steps, options=options, on_event=on_event)


def require(url: str | Urls, chain: ChainLike, *, name: str = "", tables: Sequence[str] = ()) -> None:
    """The gate for workers: raise unless the database has what the code needs.

    A database that is ahead of the chain (a newer image is rolling out) is fine, and so is drift.

    Args:
        tables: Only these must be there, as `name` or `schema.name`; empty: the chain must be up to date.

    Raises:
        SchemaNotTrue: `missing` names the tables or the pending steps.
        ConnectionFailed: it could not be found out.
    """
    from trueup.errors import DatabaseIsNewer

    if tables:
        missing = _missing_tables(_urls(url), tables)
    else:
        try:
            report = check(url, chain, name=name)
        except DatabaseIsNewer:
            return
        missing = [] if report.up_to_date else [*(s.id for s in report.sent), *map(str, report.conflicts)]
        if not missing and not report.up_to_date:
            missing = [s.id for s in report.steps if s.verdict in ("reconcile", "assume", "conflict")]
    if missing:
        raise SchemaNotTrue(
            f"the database lacks {', '.join(missing[:_SHOWN])}" + (" …" if missing[_SHOWN:] else ""),
            missing=missing,
            hint="Bring it up to date: trueup up",
        )


def _missing_tables(urls: Urls, tables: Sequence[str]) -> list[str]:
    from trueup.connect.connection import connect

    with connect(urls.default) as conn:
        rows = conn.execute(
            "SELECT t FROM unnest(%s::text[]) AS t WHERE to_regclass(t) IS NULL",
            (list(tables),),
        ).fetchall()
    return [row[0] for row in rows]


def load(chain: ChainLike, *, name: str = "", files: Sequence[MigrationFile] = ()) -> LockedChain:
    """A chain with its lock file.

    Args:
        files: The folder's, where they have been read just now.

    Raises:
        LockFileError: missing, or it does not fit the migrations.
    """
    from trueup.chain.lockfile import load_locked, read_entries
    from trueup.chain.model import Chain
    from trueup.chain.recorded import recall

    header, entries, found = read_header(chain), read_entries(chain), in_order(files or unordered(Path(chain)))
    digest, name = digest_of(found), name or header["chain"]
    steps = recall(entries[1], found) if digest == header["files"] else None
    if steps is None:
        from trueup.chain.steps import read_chain

        return load_locked(read_chain(chain, name=name, files=found), entries)
    return load_locked(Chain(name=name, folder=str(chain), digest=digest, steps=steps), entries)


def _urls(url: str | Urls) -> Urls:
    return url if isinstance(url, Urls) else urls_from(url)


class _Fitting(NamedTuple):
    """A chain that fits its lock file: its folder and name as the caller gave them, and its files in any order."""

    folder: ChainLike
    name: str
    files: tuple[MigrationFile, ...]


_kept: list[tuple[Link, _Fitting]] = []
"""The connection of a look that found work, and the chain, for whoever does that work in this process."""


def look(urls: Urls, chain: ChainLike, name: str) -> Report | None:
    """The short way: one query says that this lock file was completed here and nothing has changed since.

    Where it says otherwise the connection stays open, for the `up` that follows.
    """
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(_fitting, chain, name)  # while the server answers
        try:
            with _opened(urls) as holding:
                report = _look(holding[0], chain, name, None)
                fitting = reading.result()
                if report is None:
                    _kept.append((holding.pop(), fitting))
        except Exception:
            reading.result()  # what is wrong with the files is told first
            raise
    return report


@contextmanager
def _opened(urls: Urls) -> Iterator[list[Link]]:
    """The default way, in a list: a run may put another one in its place. Closed at the end."""
    from trueup.connect.link import Link

    link, _ = _kept.pop() if _kept else (None, None)
    if link is not None and link.url != urls.default:
        link.close()
        link = None
    holding = [link or Link(urls.default, urls.name)]
    try:
        yield holding
    except psycopg.Error as error:
        raise _understood(error, holding[0]) from error
    finally:
        for each in holding:
            each.close()


def _understood(error: psycopg.Error, link: Link) -> Exception:
    """What the server refuses outside of any step, as an error with a hint; the rest is a fault of ours."""
    from trueup.connect.connection import is_lost
    from trueup.connect.urls import hidden, without_password
    from trueup.errors import ConnectionFailed, UsageError

    said = hidden(str(error).strip(), link.url)
    if is_lost(error, link.conn):
        shown = without_password(link.url)
        return ConnectionFailed(f"the connection to {shown} was lost: {said}", url=shown, hint="Run it again.")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return UsageError(
            f"the role of the URL may not do this: {said}",
            hint="It needs CREATE on the database, for the schema trueup, and the rights that the migrations need.",
        )
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return UsageError(
            f"the database may only be read: {said}",
            hint="It is a standby, or default_transaction_read_only is on for it or for the role.",
        )
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return ConnectionFailed(
            "the database is busy: somebody holds a lock on a table that has to be read (ACCESS EXCLUSIVE)",
            url=without_password(link.url),
            hint="Run it again when that transaction is over; pg_stat_activity shows who holds what.",
        )
    return error


def _fitting(chain: ChainLike, name: str = "") -> _Fitting:
    """Nothing is done to a database for a chain whose lock file does not fit.

    Raises:
        LockFileError: names the step that differs.
    """
    for _, looked_at in _kept:
        if (str(looked_at.folder), looked_at.name) == (str(chain), name):
            return looked_at
    header, files = read_header(chain), unordered(Path(chain))
    if header["files"] == digest_of(files):
        return _Fitting(chain, name, tuple(files))
    load(chain, name=name)  # names the step that differs
    raise LockFileError(
        "the migrations' files have changed since they were locked (comments or names only)",
        hint="Run `trueup lock` and commit trueup.lock with the migrations.",
    )


def _look(link: Link, chain: ChainLike, name: str, options: Options | None) -> Report | None:
    from trueup.run.look import look as look_at

    header = read_header(chain)
    name = name or header["chain"]
    seen = look_at(link.conn, name, options.phase if options else "expand")
    if seen is None or not seen.is_complete(header["files"]):
        return None
    from trueup.decide.model import Difference
    from trueup.report import Report
    from trueup.run.accepted import split_accepted

    drift, accepted = split_accepted(Path(chain), [Difference(**d) for d in seen.drift])
    return Report(
        chain=name,
        topology="direct" if seen.is_direct(link.conn) else "pooled",
        chosen=link.chosen,
        to=options.to if options else "",
        drift=drift,
        accepted=accepted,
        gone=[d for d in drift if d.was_true and d.found is None],
        up_to_date=True,
    )


def _plan(urls: Urls, holding: list[Link], fitting: _Fitting, options: Options | None) -> Report:
    bringing = _bringing(urls, holding, fitting, options, lambda _: None)
    link = holding[0]
    if link.topology.value == "direct":  # behind a pooler it would stay with the next client
        link.conn.execute("SET default_transaction_read_only = on")
    built, report, *_ = bringing.looking.assess()
    bringing.looking.refuse_unknown(built)
    return bringing.named(report)


def _partly(
    url: str | Urls,
    chain: ChainLike,
    name: str,
    *,
    select: Callable[[Plan, LockedChain, Collection[str]], Part],
    what: str,
    steps: Sequence[str],
    jobs: int = 1,
    options: Options | None,
    on_event: OnEvent,
) -> Report:
    from trueup.run.assess import Options
    from trueup.run.partly import Partly

    urls, fitting = _urls(url), _fitting(chain, name)
    with _opened(urls) as holding:
        return Partly(
            load(chain, name=name, files=fitting.files),
            holding,
            options or Options(),
            urls=urls,
            on_event=on_event,
            select=select,
            what=what,
            names=steps,
            jobs=jobs,
            unfelt=what == "index",
        ).run()


def _bringing(
    urls: Urls, holding: list[Link], fitting: _Fitting, options: Options | None, on_event: OnEvent
) -> Bringing:
    from trueup.run.seen import scope_of, see_early

    locked = load(fitting.folder, name=fitting.name, files=fitting.files)
    with ThreadPoolExecutor(1, thread_name_prefix="trueup-see") as reader:
        seen = reader.submit(see_early, holding[0].conn, scope_of(locked))
        from trueup.run.assess import Options  # while the server is at work
        from trueup.run.bring import Bringing

        return Bringing(locked, holding, options or Options(), urls=urls, on_event=on_event, early=seen.result)
