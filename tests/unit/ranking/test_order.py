"""The one order: its key sorts as it is told, in Python and in both databases."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    select,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from leadscore.ranking.order import is_vetoed, order_key

Firm = dict[str, Any]

# Few values, so that many firms tie; the least steps of doubles; signs that sort apart by language,
# by case, by UTF-16 and by code point.
_SHARES = st.sampled_from([0.0, 5e-324, 0.1, 0.3, 0.1 + 0.2, 0.5, np.nextafter(0.5, 1), 1.0])
_SIGNS = [
    "",
    "A",
    "a",
    "B",
    "ab",
    "é",
    "e",
    "ß",
    "甲",
    "乙",
    "阿",
    "𠮷",
    "吉",
    "\ue000",
    "\uffff",
    " ",
]
_NAMES = st.lists(st.sampled_from(_SIGNS), max_size=3).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4
)
_CODES = st.none() | st.sampled_from(["91360100MA1", "91360100MA2", "92"])
FIRMS = st.fixed_dictionaries(
    {
        "vetoed": st.booleans(), "priority": _SHARES, "likelihood": _SHARES, "fit": _SHARES,
        "name": _NAMES, "credit_code": _CODES,
    }
)  # fmt: skip


def told(firm: Firm) -> tuple[Any, ...]:
    """Return the order as the README tells it; Python compares texts by code point."""
    falling = (-firm["priority"], -firm["likelihood"], -firm["fit"])
    code = firm["credit_code"]
    return firm["vetoed"], *falling, firm["name"], code is None, code or ""


@given(st.lists(FIRMS, max_size=30))
def test_keys_sort_firms_as_the_order_is_told(firms: list[Firm]) -> None:
    ordered = sorted(firms, key=lambda firm: order_key(**firm))
    assert [told(firm) for firm in ordered] == sorted(map(told, firms))
    for firm, other in itertools.pairwise(ordered):
        assert (order_key(**firm) == order_key(**other)) == (told(firm) == told(other))
        assert is_vetoed(order_key(**firm)) == firm["vetoed"]


def test_a_zero_has_no_sign_and_of_a_long_name_enough_is_compared() -> None:
    firm = {"vetoed": False, "priority": 0.5, "likelihood": 0.5, "credit_code": None}
    assert order_key(**firm, fit=0.0, name="甲") == order_key(**firm, fit=-0.0, name="甲")
    long = order_key(**firm, fit=0.5, name="𠮷" * 10_000)
    assert len(long) < 2_000  # PostgreSQL keeps no more than 2,704 bytes in an index


_TABLE = Table(
    "ordered",
    MetaData(),
    Column("at", Integer, primary_key=True),
    Column("key", LargeBinary),
    Column("vetoed", Boolean),
    *(Column(name, Float) for name in ("priority", "likelihood", "fit")),
    *(
        Column(name, Text().with_variant(Text(collation="C"), "postgresql"))
        for name in ("name", "credit_code")
    ),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def connection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connection]:
    """Return a connection to a database; that of PostgreSQL sorts texts as Chinese does."""
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("order") / "order.sqlite3"
        engine = create_engine(f"sqlite:///{path}")
    else:
        engine = create_engine(_chinese(request.getfixturevalue("postgresql_url")))
    with engine.connect() as connection:
        _TABLE.create(connection)
        yield connection
        connection.rollback()
    engine.dispose()


def _chinese(url: URL) -> URL:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as server:
        try:
            server.execute(
                text(
                    "CREATE DATABASE chinese TEMPLATE template0 LOCALE 'C'"
                    " LOCALE_PROVIDER icu ICU_LOCALE 'zh-u-co-pinyin'"
                )
            )
        except OperationalError as error:  # pragma: no cover
            pytest.fail(f"a PostgreSQL with ICU is needed: {error}")
    engine.dispose()
    return url.set(database="chinese")


@given(st.lists(FIRMS, max_size=30))
def test_databases_sort_by_keys_as_by_columns(connection: Connection, firms: list[Firm]) -> None:
    rows = [{"at": at, "key": order_key(**firm), **firm} for at, firm in enumerate(firms)]
    with connection.begin_nested() as point:
        if rows:
            connection.execute(_TABLE.insert(), rows)
        column = _TABLE.c
        by_key = connection.scalars(select(column.at).order_by(column.key, column.at)).all()
        by_columns = connection.scalars(
            select(column.at).order_by(
                column.vetoed, column.priority.desc(), column.likelihood.desc(), column.fit.desc(),
                column.name, column.credit_code.nulls_last(), column.at,
            )
        ).all()  # fmt: skip
        point.rollback()
    assert by_key == by_columns == sorted(range(len(firms)), key=lambda at: (told(firms[at]), at))


def test_the_database_of_this_test_would_sort_texts_otherwise(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        assert connection.scalar(text("SELECT '阿' < '乙' AND 'a' < 'B'"))
        assert not connection.scalar(text("SELECT '阿' COLLATE \"C\" < '乙' COLLATE \"C\""))
