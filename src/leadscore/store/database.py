"""The database: its errors, connections and transactions, kinds of columns, and migrations."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import secrets
import sqlite3
import threading
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
    get_args,
    get_origin,
    get_type_hints,
)

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, ForeignKey, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError

from leadscore import validation
from leadscore.errors import LeadscoreError
from leadscore.text import Text, room_words

if TYPE_CHECKING:
    import pandas as pd

WORDS = room_words("store")


class StoreError(LeadscoreError):
    """Something that could not be kept, or can't be read any more."""

    code: ClassVar[str] = "unusable_store"


_BUSY = WORDS["database.busy"]
_DAMAGED = WORDS["database.damaged"]
_DENIED = WORDS["database.database_denied"]
_AWAY = WORDS["database.away"]
_TURNED_AWAY = WORDS["database.turned_away"]
# By the first word of the name of SQLite's code, see https://sqlite.org/rescode.html.
_SQLITE_ERRORS = {
    "BUSY": _BUSY, "LOCKED": _BUSY, "FULL": WORDS["database.database_full"], "NOTADB": _DAMAGED,
    "CORRUPT": _DAMAGED, "READONLY": _DENIED, "CANTOPEN": _DENIED, "PERM": _DENIED, "AUTH": _DENIED,
    "IOERR": _DENIED,
}  # fmt: skip
# By how the SQLSTATE begins, the more exact first.
_POSTGRESQL_ERRORS = {
    "08": _AWAY, "57P": _AWAY, "28": _TURNED_AWAY, "3D": _TURNED_AWAY, "42501": _DENIED,
    "25006": _DENIED, "53100": WORDS["database.database_full"], "53": _BUSY, "40": _BUSY,
    "55P": _BUSY, "XX": _DAMAGED,
}  # fmt: skip


def refusals(folder: Path) -> AbstractContextManager[None]:
    """Turn what the operating system refuses into a `StoreError`."""
    return validation.refusals(StoreError, WORDS["database.the_folder"].format(folder=folder))


@contextlib.contextmanager
def database_refusals(where: str) -> Iterator[None]:
    """Turn what a database refuses for reasons outside the program into a `StoreError`.

    A constraint that does not hold, and SQL that is wrong, pass through as they are. ``where`` is
    the address of the database as people may see it.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error) as error:
        cause = getattr(error, "orig", error)
        message = _sqlite_message(cause) or _postgresql_message(error)
        if message is None:
            raise
        reason = str(cause).strip().partition("\n")[0]
        raise StoreError(message.format(where=where, reason=reason)) from error


def _sqlite_message(error: Any) -> Text | None:
    words = getattr(error, "sqlite_errorname", "").split("_")
    return _SQLITE_ERRORS.get(words[1]) if len(words) > 1 else None


def _postgresql_message(error: DBAPIError | sqlite3.Error) -> Text | None:
    if not isinstance(error, DBAPIError) or not hasattr(error.orig, "sqlstate"):
        return None
    if state := getattr(error.orig, "sqlstate", None):
        starts = (start for start in _POSTGRESQL_ERRORS if state.startswith(start))
        return next(map(_POSTGRESQL_ERRORS.get, starts), None)
    if not error.connection_invalidated and error.statement:
        return None
    # Where the server did answer, its word follows, behind a colon and two spaces.
    return _TURNED_AWAY if ":  " in str(error.orig) else _AWAY


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

current_generation = (
    sa.select(GENERATION.c.number).where(GENERATION.c.mark == "now").scalar_subquery()
)
"""For a statement that is asked with every request, as its column ``generation``."""
_GENERATION = sa.select(GENERATION.c.number).where(GENERATION.c.mark == "now")
_RAISE = sa.update(GENERATION).where(GENERATION.c.mark == "now")
_RAISE = _RAISE.values(number=GENERATION.c.number + 1)

_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = (0.0005, 0.004)

_IMMEDIATE = "leadscore_immediate"
# From these versions on, each within its series, SQLite no longer loses what a reset log held.
_SOUND_WAL = ((3, 44, 6), (3, 50, 7), (3, 51, 3))


def sqlite_url(path: Path) -> URL:
    """Return the address of a SQLite file."""
    return URL.create("sqlite+pysqlite", database=str(path))


class Database:
    """A pool of connections; safe to share between threads, not between processes.

    The address is a file of SQLite, or a URL as SQLAlchemy takes it: ``sqlite:///...`` or
    ``postgresql://...``, which is read by psycopg. A writer waits for others on SQLite for
    ``patience_seconds``. All methods, and the blocks that a connection is given to, raise
    `StoreError` where the database refuses.
    """

    def __init__(
        self, address: Path | URL | str, *, patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        url = sqlite_url(address) if isinstance(address, Path) else make_url(address)
        self.url = _with_driver(url)
        self.engine = _engine(self.url, patience_seconds)
        self._reading = self.engine
        if self.dialect == "postgresql":
            self._reading = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._prepared: dict[Select[Any], _Prepared] = {}
        self._idle: list[sqlite3.Connection] = []
        self._writing = self.engine.execution_options(**{_IMMEDIATE: True})

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
        with database_refusals(self.shown), self._reading.begin() as connection:
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
        with database_refusals(self.shown), self._writing.begin() as connection:
            yield connection

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
            prepared = self._prepared[statement] = _Prepared(statement, self.engine.dialect)
        with database_refusals(self.shown):
            # Beside the pool, whose bookkeeping takes as long as finding the row.
            try:
                driver = self._idle.pop()
            except IndexError:
                pooled = self.engine.raw_connection()
                driver = pooled.driver_connection  # type: ignore[assignment]
                pooled.detach()
            try:
                return prepared.one(driver, values)
            finally:
                self._idle.append(driver)

    def close(self) -> None:
        """Close all connections that are not in use."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()


class _Prepared:
    """A statement as SQLite's driver takes it, with what SQLAlchemy does to values on the way."""

    def __init__(self, statement: Select[Any], dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        columns = statement.selected_columns
        self._sql, self._given = compiled.string, compiled.params
        self._writers = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        self._readers = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]
        self._names = columns.keys()

    def one(self, driver: sqlite3.Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        given = {**self._given, **values}
        bound = [write(given[name]) if write else given[name] for name, write in self._writers]
        row = driver.execute(self._sql, bound).fetchone()
        if row is None:
            return None
        columns = zip(self._names, self._readers, row, strict=True)
        return {name: read(value) if read else value for name, read, value in columns}


def take_turns(connection: Connection, table: Table) -> None:
    """Let nobody else write to a table until the transaction ends; on SQLite a writer is alone."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE')


def _with_driver(url: URL) -> URL:
    psycopg = "postgresql+psycopg"
    drivers = {"postgresql": psycopg, "postgres": psycopg, "sqlite": "sqlite+pysqlite"}
    url = url.set(drivername=drivers.get(url.drivername, url.drivername))
    if url.get_backend_name() == "sqlite" and url.database:
        url = url.set(database=str(Path(url.database).expanduser()))
    return url


def _engine(url: URL, patience_seconds: float) -> sa.Engine:
    dump = partial(json.dumps, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, json_serializer=dump, pool_pre_ping=True)
    arguments = {"timeout": patience_seconds, "check_same_thread": False, "isolation_level": None}
    engine = sa.create_engine(url, json_serializer=dump, connect_args=arguments)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", partial(_begin, patience_seconds=patience_seconds))
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    # Safe against loss of power, and strict about keys.
    mode = "WAL" if wal_is_sound(sqlite3.sqlite_version_info) else "DELETE"
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # So that INSERT OR REPLACE, too, meets the triggers of a table that only grows.
    connection.execute("PRAGMA recursive_triggers = ON")


def _begin(connection: Connection, *, patience_seconds: float) -> None:
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    if not connection.get_execution_options().get(_IMMEDIATE, False):
        driver.execute("BEGIN")
        return
    # SQLite's own way to wait sleeps ever longer, so that the file is often free and nobody there:
    # with 8 writers on a disk, a write took 16 ms that takes 6 so, and one waited for 4 s.
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        if not _begun(driver, patience_seconds):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # to say why not
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(patience_seconds * 1000)}")


def _begun(driver: sqlite3.Connection, patience_seconds: float) -> bool:
    until = time.monotonic() + patience_seconds
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                return False
        else:
            return True
        time.sleep(random.uniform(*_PAUSE_SECONDS))  # noqa: S311 - nobody gains by guessing it


def wal_is_sound(version: tuple[int, ...]) -> bool:
    """Tell whether this SQLite may use a write-ahead log (see https://sqlite.org/wal.html).

    >>> wal_is_sound((3, 40, 1)), wal_is_sound((3, 44, 6)), wal_is_sound((3, 51, 2))
    (False, True, False)
    """
    series: dict[tuple[int, ...], tuple[int, ...]] = {each[:2]: each for each in _SOUND_WAL}
    newest = _SOUND_WAL[-1]
    return version >= newest or version >= series.get(version[:2], newest)


_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x6C656164  # that migrations of one PostgreSQL database take: ``lead`` in ASCII
_IN_TURN = threading.Lock()  # Alembic keeps what is being migrated per process, not per thread


def migrate(database: Database, to: str = "head") -> bool:
    """Run the migrations that a database lacks, all or none, and tell whether there were any."""
    scripts = ScriptDirectory(str(_MIGRATIONS))
    if is_current(database):
        return False
    with _IN_TURN, database.transaction() as connection:
        if database.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        present = _versions(connection)
        if not known_versions().issuperset(present):
            found = ", ".join(present)
            raise StoreError(WORDS["database.newer"].format(where=database.shown, found=found))

        def lacking(versions: Iterable[str], _context: MigrationContext) -> list[MigrationStep]:
            newest_first = scripts.iterate_revisions(to, tuple(versions) or "base")
            return [
                MigrationStep.upgrade_from_script(scripts.revision_map, script)
                for script in reversed(list(newest_first))
            ]

        context = MigrationContext.configure(connection, opts={"fn": lacking})
        with Operations.context(context):
            context.run_migrations()
        return present != scripts.get_heads()


def is_current(database: Database) -> bool:
    """Tell whether a database has the tables of this program."""
    with database.read() as connection:
        return _versions(connection) == ScriptDirectory(str(_MIGRATIONS)).get_heads()


def known_versions() -> set[str]:
    """Return the versions of a database that this program can use."""
    return {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}


def _versions(connection: Connection) -> list[str]:
    return list(MigrationContext.configure(connection).get_current_heads())


def open_store(
    address: Path | str, *, before_migration: Callable[[Database], object] = lambda _: None
) -> Database:
    """Return the database of a SQLite file or a URL, with all its tables; raises `StoreError`.

    ``before_migration`` is called with one that has tables of an earlier program.
    """
    database = connect(address)
    try:
        with database.read() as connection:
            present = _versions(connection)
        if present and present != ScriptDirectory(str(_MIGRATIONS)).get_heads():
            before_migration(database)
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def connect(address: Path | str) -> Database:
    """Return a database as it is; a file of SQLite is made, its owner's alone, if there is none."""
    try:
        database = Database(address)
    except ModuleNotFoundError as error:
        raise StoreError(WORDS["database.no_driver"]) from error
    if database.path:
        with refusals(database.path.parent):
            database.path.parent.mkdir(parents=True, exist_ok=True)
            if not database.path.exists():
                os.close(os.open(database.path, os.O_CREAT | os.O_WRONLY, 0o600))
    return database
