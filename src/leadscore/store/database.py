"""The database: its errors, connections and transactions, kinds of columns, and migrations."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import sqlalchemy as sa
from sqlalchemy import Column, Connection, ForeignKey, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from leadscore import validation
from leadscore.errors import Detail, LeadscoreError
from leadscore.store import sqlite as driver
from leadscore.store.sqlite import Unavailability, sqlite_url
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    import pandas as pd

WORDS = room_words("store")


class StoreError(LeadscoreError):
    """Something that could not be kept, or can't be read any more."""

    code: ClassVar[str] = "unusable_store"


class UnavailableError(StoreError):
    """A database that can't be used just now, for a reason outside the program."""

    def __init__(
        self, message: Text, details: Sequence[Detail] = (), why: Unavailability = "away"
    ) -> None:
        super().__init__(message, details)
        self.why = why

    def __reduce__(self) -> Any:
        """Pickle with the reason."""
        return type(self), (self.message, self.details, self.why)


_NOT_YET = "the database system is "


def _unavailable(why: Unavailability, where: str, reason: str) -> UnavailableError:
    message = WORDS[f"database.{why}"].format(where=where, reason=reason)
    return UnavailableError(message, why=why)


# By how the SQLSTATE begins, the more exact first.
_POSTGRESQL_ERRORS: dict[str, Unavailability] = {
    "08": "away", "57014": "busy", "57P": "away", "28": "turned_away", "3D": "turned_away",
    "42501": "denied", "25006": "denied", "53100": "full", "53": "busy", "40": "busy",
    "55P": "busy", "XX": "damaged",
}  # fmt: skip


def refusals(folder: Path) -> AbstractContextManager[None]:
    """Turn what the operating system refuses into a `StoreError`."""
    return validation.refusals(StoreError, WORDS["database.the_folder"].format(folder=folder))


@contextlib.contextmanager
def database_refusals(where: str) -> Iterator[None]:
    """Turn what a database refuses for reasons outside the program into an `UnavailableError`.

    A constraint that does not hold, and SQL that is wrong, pass through as they are. ``where`` is
    the address of the database as people may see it.
    """
    try:
        yield
    except IntegrityError:
        raise
    except PoolTimeoutError as error:
        raise _unavailable("busy", where, str(error)) from error
    except (DBAPIError, driver.Error) as error:
        cause = getattr(error, "orig", error)
        why = driver.refusal(cause) or _postgresql_refusal(error)
        if why is None:
            raise
        raise _unavailable(why, where, str(cause).strip().partition("\n")[0]) from error


def _postgresql_refusal(error: DBAPIError | driver.Error) -> Unavailability | None:
    if not isinstance(error, DBAPIError) or not hasattr(error.orig, "sqlstate"):
        return None
    if state := getattr(error.orig, "sqlstate", None):
        starts = (start for start in _POSTGRESQL_ERRORS if state.startswith(start))
        return next(map(_POSTGRESQL_ERRORS.get, starts), None)
    if not error.connection_invalidated and error.statement:
        return None
    # Where the server did answer, its word follows, behind a colon and two spaces; also while it
    # starts or stops.
    answered = str(error.orig)
    return "turned_away" if ":  " in answered and _NOT_YET not in answered else "away"


METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of the store; a migration brings a database to just these."""

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Numbers of rows: SQLite counts up by itself only in an ``INTEGER`` key."""

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
"""Plain values; NaN is refused when it is written."""


encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
"""Plain values as a column of `Json` holds them."""


class Written(dict[str, Any]):
    """Plain values that know what they are in JSON, so that it is made once; not to be changed."""

    __slots__ = ("text",)

    def __init__(self, values: Mapping[str, Any], text: str | None = None) -> None:
        super().__init__(values)
        self.text = encode(self) if text is None else text

    def __setitem__(self, name: str, value: Any) -> None:
        """Refuse it: the text would say otherwise."""
        raise TypeError(name)

    def __delitem__(self, name: str) -> None:
        """Refuse it: the text would say otherwise."""
        raise TypeError(name)

    def __reduce__(self) -> tuple[type[Written], tuple[dict[str, Any], str]]:
        """Pickle values and text."""
        return Written, (dict(self), self.text)


def _json(value: Any) -> str:
    return value.text if isinstance(value, Written) else encode(value)


class Moment(sa.TypeDecorator[datetime]):
    """A moment with a time zone, kept in UTC to the microsecond."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """Turn a moment into UTC; SQLite keeps it without saying so."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"a moment needs a time zone: {value!r}"
            raise ValueError(msg)
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the moment back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Id = Annotated[int, Number, {"primary_key": True}]
"""The number of a row, which the database counts up."""
GivenId = Annotated[int, Number, {"primary_key": True, "autoincrement": False}]
"""The number of a row, which the program gives."""

_KINDS: dict[Any, Any] = {
    int: sa.Integer, float: sa.Float, bool: sa.Boolean, str: sa.Text, Literal: sa.Text,
    date: sa.Date, datetime: Moment, bytes: sa.LargeBinary,
}  # fmt: skip


def columns_of(row: type) -> list[Column[Any]]:
    """Return the columns that hold the fields of a dataclass or a named tuple.

    Their kinds follow from the types, else are JSON, and NOT NULL unless a field may be None.
    ``Annotated`` names another kind, a `ForeignKey` and options of `Column`, in this order.
    """
    columns = []
    for name, hint in get_type_hints(row, include_extras=True).items():
        plain, *marks = get_args(hint) if get_origin(hint) is Annotated else [hint]
        types = get_args(plain) if get_origin(plain) in (Union, UnionType) else (plain,)
        options = marks.pop() if marks and isinstance(marks[-1], dict) else {}
        if not marks or isinstance(marks[0], ForeignKey):
            marks.insert(0, _KINDS.get(get_origin(types[0]) or types[0], Json))
        columns.append(Column(name, *marks, nullable=NoneType in types, **options))
    return columns


# So few that they are gone before the garbage collector looks at them: twice as fast as all.
_ROWS_AT_ONCE = 1_000


def plain_values(column: pd.Series) -> list[Any]:
    """Return the values as Python's own, None for what is missing, days as `datetime.date`."""
    values, days = zip(column.tolist(), column.isna(), strict=True), column.dtype.kind == "M"
    return [None if missing else value.date() if days else value for value, missing in values]


def quick(column: Column[Any]) -> Any:
    """Return a column as `read_frame` wants it: Arrow turns moments into UTC, and much faster."""
    utc = sa.DateTime(timezone=True)
    return sa.type_coerce(column, utc) if isinstance(column.type, Moment) else column


def read_frame(
    connection: Connection, query: Select[Any], types: Mapping[str, str]
) -> pd.DataFrame:
    """Return all rows of a query as a table.

    ``types`` names the columns that the query selects, in their order and moments by way of
    `quick`, with their types in pandas.
    """
    # Imported late: most that is asked of a database needs no tables, and they take half a second.
    import pyarrow as pa

    arrow = {
        "int64": pa.int64(), "bool": pa.bool_(), "str": pa.large_string(),
        "datetime64[us]": pa.date32(), "datetime64[us, UTC]": pa.timestamp("us", "UTC"),
    }  # fmt: skip
    none = pa.table({name: pa.array([], arrow[dtype]) for name, dtype in types.items()})
    parts = [
        pa.table(list(map(pa.array, zip(*rows, strict=True), none.schema.types)), none.schema)
        for rows in connection.execute(query).partitions(_ROWS_AT_ONCE)
    ]
    frame: pd.DataFrame = pa.concat_tables([none, *parts]).to_pandas(date_as_object=False)
    return frame.astype(dict(types))


def new_token(prefix: str = "") -> str:
    """Return a secret of 256 random bits in letters, digits, ``-`` and ``_``."""
    return prefix + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what is kept of a secret, 64 hex digits.

    A secret of 256 random bits can't be guessed, so it needs no slow hash as a password does; and
    whoever times a look-up by this learns of the hash, from which nothing leads back.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def storable_text(text: str) -> str:
    r"""Return text that any database takes: names of files need not be valid Unicode.

    >>> print(storable_text("list\udcff.csv"))
    list\udcff.csv
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")


_Value = TypeVar("_Value")
_ASKED_AT_ONCE = 500  # values in one ``IN``: fewer than any database minds


def one_of_some() -> sa.BindParameter[Any]:
    """Return what ``IN`` takes in a statement that is put together once, and run with ``some``."""
    return sa.bindparam("some", expanding=True)


def in_parts(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """Yield the values in lists of at most 500, of which one ``IN`` can ask.

    >>> [len(part) for part in in_parts(range(1_100))]
    [500, 500, 100]
    """
    whole = list(values)
    for start in range(0, len(whole), _ASKED_AT_ONCE):
        yield whole[start : start + _ASKED_AT_ONCE]


def rows_of_some(
    connection: Connection, query: Select[Any], values: Iterable[Any]
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield the rows of a query for any number of values, which it takes by `one_of_some`."""
    for some in in_parts(values):
        yield from connection.execute(query, {"some": some})


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, if there are any."""
    if rows:
        connection.execute(table.insert(), rows)


def insert_row(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Add a row, and return the number that it was given as its ``id``."""
    added = connection.execute(table.insert().values(values).returning(table.c.id))
    number: int = added.scalar_one()
    return number


def insert_unless_there(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Add a row, and tell whether it was added.

    Who comes second waits until the first one's transaction has ended, and then finds its row.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(values).on_conflict_do_nothing()
    added = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return added.rowcount == 1


_SQLITE_TRIGGER = """
CREATE TRIGGER {table}_refuses_{deed} BEFORE {deed} ON {table}
BEGIN SELECT RAISE(ABORT, '{table}: rows are only ever added'); END
"""
_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation',
        MESSAGE = TG_TABLE_NAME || ': rows are only ever added';
END $$
"""
_POSTGRESQL_TRIGGER = """
CREATE TRIGGER {table}_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_changes()
"""


def trigger_statements(table: str, dialect: str) -> Iterator[str]:
    """Yield the SQL for an `IntegrityError` where a row of a table is changed or removed."""
    if dialect == "sqlite":
        for deed in ("update", "delete"):
            yield _SQLITE_TRIGGER.format(table=table, deed=deed)
    else:
        yield _POSTGRESQL_FUNCTION
        yield _POSTGRESQL_TRIGGER.format(table=table)


APPEND_ONLY = {"append_only": True}
"""Marks a table as one to which rows are only added; its migration gives it the triggers."""

GENERATION = sa.Table(
    "generation",
    METADATA,
    sa.Column("mark", sa.String(8), primary_key=True),
    sa.Column("number", Number, nullable=False),
)
"""One row, ``now``: how many transactions have written."""

_GENERATION = sa.select(GENERATION.c.number).where(GENERATION.c.mark == "now")
current_generation = _GENERATION.scalar_subquery()
"""For a statement that is asked with every request, as its column ``generation``."""
_RAISE, _TOUCH = (
    sa.update(GENERATION).where(GENERATION.c.mark == "now").values(number=GENERATION.c.number + by)
    for by in (1, 0)
)

PATIENCE_SECONDS = 30.0
"""For which commands and jobs wait."""
REQUEST_PATIENCE_SECONDS = 3.0
"""For which requests do."""
_NO_PATIENCE_SECONDS = 0.2
_PROBED_EVERY_SECONDS = 1.0
_FULL_SECONDS = 30.0
_LONGEST_AWAY_SECONDS = 3.0


class Database:
    """A pool of connections; safe to share between threads, not between processes.

    The address is a file of SQLite, or a URL as SQLAlchemy takes it: ``sqlite:///...`` or
    ``postgresql://...``, which is read by psycopg. Who wants a lock, a connection or an answer of
    the server waits for it for ``patience_seconds``. All methods, and the blocks that a connection
    is given to, raise `UnavailableError` where the database refuses. It is used again as soon as it
    can be.
    """

    def __init__(
        self, address: Path | URL | str, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        url = sqlite_url(address) if isinstance(address, Path) else make_url(address)
        self.url = _with_driver(url)
        self.engine = _engine(self.url, patience_seconds)
        self._reading = self.engine
        if self.dialect == "postgresql":
            self._reading = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._prepared: dict[Select[Any], driver.Prepared] = {}
        self._idle: list[driver.Connection] = []
        self._writing = self.engine.execution_options(**{driver.IMMEDIATE: True})
        self._noting = self._writing.execution_options(**{driver.PATIENCE: _NO_PATIENCE_SECONDS})
        self._away: tuple[float, UnavailableError] | None = None
        self._unwritten: tuple[float, Unavailability] | None = None
        self._probed = -math.inf

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @property
    def path(self) -> Path | None:
        """The file of SQLite; None on PostgreSQL."""
        return Path(self.url.database or "") if self.dialect == "sqlite" else None

    @cached_property
    def shown(self) -> str:
        """The address for people to read: the path of the file, or the URL without its password."""
        return str(self.path or self.url.render_as_string(hide_password=True))

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection within a transaction that sees one state of all tables."""
        with self._refusals(), self._reading.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection within a transaction that is committed unless the block fails.

        It raises the `generation`, last of all: on PostgreSQL others wait for that row.
        """
        with self.transaction() as connection:
            yield connection
            connection.execute(_RAISE)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Do as `write` with tables of whatever version, of which no generation may tell."""
        with self._written_or_not(), self._refusals(), self._writing.begin() as connection:
            yield connection

    def note(self, deed: Callable[[Connection], object]) -> bool:
        """Write what may be left out, if that can be done at once, and tell whether it was.

        For what is noted beside a reading, which must not fail of it; it raises no generation.
        """
        try:
            with (
                self._written_or_not(little=True),
                self._refusals(),
                self._noting.begin() as connection,
            ):
                if self.dialect == "postgresql":
                    milliseconds = int(_NO_PATIENCE_SECONDS * 1000)
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {milliseconds}")
                deed(connection)
        except UnavailableError:
            return False
        return True

    def unwritable(self) -> Unavailability | None:
        """Return why nothing can be written just now, None if it can; this is tried.

        A disk that was full for somebody is full for a while, though there may be room for a try.
        """
        if self._full_lately():
            return "full"
        now = time.monotonic()
        if now - self._probed >= _PROBED_EVERY_SECONDS:
            self._probed = now
            self.note(lambda connection: connection.execute(_TOUCH))
        return self._unwritten[1] if self._unwritten else None

    def _full_lately(self) -> bool:
        unwritten = self._unwritten
        return bool(
            unwritten and unwritten[1] == "full" and time.monotonic() - unwritten[0] < _FULL_SECONDS
        )

    @contextlib.contextmanager
    def _written_or_not(self, *, little: bool = False) -> Iterator[None]:
        # For a ``little`` a disk that is full may still have room.
        try:
            yield
        except UnavailableError as error:
            self._unwritten = time.monotonic(), error.why
            raise
        if not (little and self._full_lately()):
            self._unwritten = None

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        # A server that can't be reached is not asked again for as long as it took to learn this:
        # so not every request waits, one after another, for an answer that won't come.
        began = time.monotonic()
        if self._away and began < self._away[0]:
            raise self._away[1]
        try:
            with database_refusals(self.shown):
                yield
        except UnavailableError as error:
            if error.why == "away":
                now = time.monotonic()
                self._away = now + min(now - began, _LONGEST_AWAY_SECONDS), error
            elif error.why in ("denied", "damaged"):  # by connections that stay as they were opened
                self.close()
            raise
        self._away = None

    def generation(self) -> int:
        """Return the number that every transaction that wrote has raised.

        What was read while it was the same is still so.
        """
        row = self.look_up(_GENERATION, {})
        return row["number"] if row else 0

    def look_up(
        self, statement: Select[Any], values: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return the one row of a statement, or None: for what is asked with every request.

        SQLite is asked by its own driver, for a transaction of SQLAlchemy takes four times as long
        as finding a row by its key. The statement is made once, for what it comes to is kept.
        """
        if self.dialect != "sqlite":
            with self.read() as connection:
                row = connection.execute(statement, values).one_or_none()
            return None if row is None else row._asdict()
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = driver.Prepared(statement, self.engine.dialect)
        with self._refusals():
            # Beside the pool, whose bookkeeping takes as long as finding the row.
            try:
                lent = self._idle.pop()
            except IndexError:
                pooled = self.engine.raw_connection()
                lent = cast("driver.Connection", pooled.driver_connection)
                pooled.detach()
            try:
                return prepared.one(lent, values)
            finally:
                self._idle.append(lent)

    def checkpoint(self) -> None:
        """Let SQLite bring its log into the file, for whoever has the time: no request does it."""
        if self.dialect == "sqlite":
            with self._refusals(), contextlib.closing(self.engine.raw_connection()) as pooled:
                driver.checkpoint(cast("driver.Connection", pooled.driver_connection))

    def close(self) -> None:
        """Close all connections that are not in use."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()


def take_turns(connection: Connection, table: Table) -> None:
    """Let nobody else write to a table until the transaction ends; on SQLite a writer is alone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE')


_MUCH = 64_000  # KiB


def expect_much(connection: Connection) -> None:
    """Let SQLite hold more pages than it does unasked, for a transaction that touches many.

    What does not fit is written before the end, and waited for each time.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_MUCH}")


def _with_driver(url: URL) -> URL:
    psycopg = "postgresql+psycopg"
    drivers = {
        "postgresql": psycopg, "postgres": psycopg, "sqlite": driver.NAME,
        "sqlite+pysqlite": driver.NAME,
    }  # fmt: skip
    url = url.set(drivername=drivers.get(url.drivername, url.drivername))
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=str(Path(url.database).expanduser()))
    return url


def _engine(url: URL, patience_seconds: float) -> sa.Engine:
    pool = {"json_serializer": _json, "pool_timeout": patience_seconds}
    if url.get_backend_name() == "sqlite":
        return driver.sqlite_engine(url, patience_seconds, **pool)
    # psycopg waits for whole seconds, and no less than two.
    arguments = {"connect_timeout": max(2, math.ceil(patience_seconds))}
    engine = sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, **pool)
    sa.event.listen(engine, "connect", partial(_bound_waiting, patience_seconds=patience_seconds))
    return engine


def _bound_waiting(connection: Any, _record: Any, *, patience_seconds: float) -> None:
    # Not as an option of the connection, which poolers before a server refuse.
    connection.execute(f"SET lock_timeout = {int(patience_seconds * 1000)}")
    connection.commit()


def is_writing(connection: Connection) -> bool:
    """Tell whether a connection may have changed what its generation does not tell of yet."""
    return bool(connection.get_execution_options().get(driver.IMMEDIATE, False))
