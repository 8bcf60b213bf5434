"""The audit has no gap, whoever writes, and tells of what was changed in it, also of a cut tail."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from leadscore.store.audit import (
    AUDIT,
    AUDIT_HEAD,
    KEPT_DAYS,
    AuditTrail,
    Record,
    Verdict,
    page,
    prune,
    verify,
)
from leadscore.store.database import Database, StoreError

NOW = datetime(2026, 11, 24, 8, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(tmp_path / "keys" / "audit.key")


def write(database: Database, trail: AuditTrail, count: int, start: datetime = NOW) -> None:
    for step in range(count):
        record = Record(
            "li.na", "officer", "outcome.add", "firm", str(step), "10.0.0.7",
            details={"阶段": "签约", "count": step, "share": 1e22},
        )  # fmt: skip
        with database.write() as connection:
            trail.append(connection, record, start + timedelta(days=step))


def check(database: Database, trail: AuditTrail) -> Verdict:
    with database.read() as connection:
        return verify(connection, AuditTrail(trail.key_file))


def tamper(database: Database, *statements: object) -> None:
    """Do what whoever owns the database can do: take the triggers off and write."""
    with database.write() as connection:
        if database.dialect == "sqlite":
            connection.execute(text("DROP TRIGGER audit_refuses_update"))
            connection.execute(text("DROP TRIGGER audit_refuses_delete"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def fault(database: Database, trail: AuditTrail) -> str:
    verdict = check(database, trail)
    assert verdict.fault is not None
    return verdict.fault.en


def test_an_untouched_audit_is_whole(database: Database, trail: AuditTrail) -> None:
    assert check(database, trail) == Verdict(0, None, None, 0, None)
    write(database, trail, 5)
    assert check(database, trail) == Verdict(5, NOW, NOW + timedelta(days=4), 0, None)
    assert trail.key_file.stat().st_mode & 0o777 == 0o600


def test_what_was_written_is_read_newest_first(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 5)
    with database.read() as connection:
        assert [row.sequence for row in page(connection, limit=2)] == [5, 4]
        assert [row.sequence for row in page(connection, before=3)] == [2, 1]
        assert [row.sequence for row in page(connection, since=NOW + timedelta(days=3))] == [5, 4]
        assert page(connection, actor="nobody") == []
        assert len(page(connection, actor="li.na", action="outcome.add")) == 5


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "wang"), ("role", "viewer"), ("action", "x"), ("object_kind", None),
        ("object_id", "9"), ("address", None), ("result", "refused"), ("details", "{}"),
        ("at", NOW), ("mac", "0" * 64),
    ],
)  # fmt: skip
def test_an_edited_record_is_found(
    database: Database, trail: AuditTrail, column: str, value: object
) -> None:
    write(database, trail, 5)
    tamper(database, update(AUDIT).where(AUDIT.c.sequence == 3).values({column: value}))
    assert fault(database, trail).startswith("record 3 was edited")
    assert check(database, trail).count == 2


def test_a_removed_record_is_found(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 5)
    tamper(database, delete(AUDIT).where(AUDIT.c.sequence == 3))
    assert fault(database, trail) == "record 3 was removed (the next one is 4)"


def test_a_first_record_that_was_removed_is_found(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 5)
    tamper(database, delete(AUDIT).where(AUDIT.c.sequence == 1))
    assert fault(database, trail) == "record 1 was removed (the next one is 2)"


def test_a_cut_tail_is_found(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 5)
    tamper(database, delete(AUDIT).where(AUDIT.c.sequence > 3))
    assert fault(database, trail).startswith("the end was cut off: the last record should be 5")


def test_a_cut_tail_is_found_with_its_mark_moved(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 5)
    with database.read() as connection:
        mac = connection.scalar(select(AUDIT.c.mac).where(AUDIT.c.sequence == 3))
    moved = update(AUDIT_HEAD).values(sequence=3, mac=mac)
    tamper(database, delete(AUDIT).where(AUDIT.c.sequence > 3), moved)
    assert fault(database, trail) == "the mark “end” of the audit was edited"
    with pytest.raises(StoreError, match="tampered"), database.write() as connection:
        trail.append(connection, Record("li.na", "officer", "x"), NOW)


def test_a_tail_that_was_cut_with_an_old_mark_put_back_passes_for_an_older_audit(
    database: Database, trail: AuditTrail
) -> None:
    write(database, trail, 3)
    with database.read() as connection:
        old = connection.execute(select(AUDIT_HEAD)).one()._asdict()
    write(database, trail, 2)
    tamper(database, delete(AUDIT).where(AUDIT.c.sequence > 3), update(AUDIT_HEAD).values(old))
    assert check(database, trail) == Verdict(3, NOW, NOW + timedelta(days=2), 0, None)
    write(database, trail, 1)
    assert check(database, trail).count == 4


def test_an_audit_that_was_removed_whole_passes_for_an_empty_one(
    database: Database, trail: AuditTrail
) -> None:
    write(database, trail, 3)
    tamper(database, delete(AUDIT), delete(AUDIT_HEAD))
    assert check(database, trail) == Verdict(0, None, None, 0, None)


def test_a_removed_mark_is_found(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 3)
    tamper(database, delete(AUDIT_HEAD))
    assert "removed" in fault(database, trail)
    with pytest.raises(StoreError, match="tampered"), database.write() as connection:
        trail.append(connection, Record("li.na", "officer", "x"), NOW)


def test_a_record_put_at_the_end_is_found(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 2)
    with database.read() as connection:
        row = connection.execute(select(AUDIT).where(AUDIT.c.sequence == 2)).one()._asdict()
    with database.write() as connection:
        connection.execute(insert(AUDIT).values(row | {"sequence": 3}))
    assert fault(database, trail).startswith("record 3 was edited")


def test_another_key_is_found(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 2)
    trail.key_file.write_bytes(b"x" * 32)
    assert fault(database, trail) == "the mark “end” of the audit was edited"


def test_a_lost_key_is_told_and_no_new_one_made(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 2)
    trail.key_file.unlink()
    other = AuditTrail(trail.key_file)
    with pytest.raises(StoreError, match="isn't there"), database.read() as connection:
        verify(connection, other)
    with pytest.raises(StoreError, match="isn't there"), database.write() as connection:
        other.append(connection, Record("li.na", "officer", "x"), NOW)
    assert not trail.key_file.exists()


def test_a_key_that_others_can_read_is_refused(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 1)
    trail.key_file.chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"), database.read() as connection:
        verify(connection, AuditTrail(trail.key_file))


def test_what_is_rolled_back_leaves_no_record(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 2)
    with database.engine.connect() as connection:
        trail.append(connection, Record("li.na", "officer", "x"), NOW)
        connection.rollback()
    write(database, trail, 1)
    assert check(database, trail).count == 3
    assert check(database, trail).fault is None


def test_the_database_itself_refuses_changes(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 3)
    for statement in (update(AUDIT).values(actor="x"), delete(AUDIT)):
        with pytest.raises(IntegrityError, match="only ever added"), database.write() as connection:
            connection.execute(statement)
    if database.dialect == "postgresql":
        with pytest.raises(IntegrityError, match="only ever added"), database.write() as connection:
            connection.execute(text("TRUNCATE audit"))
    assert check(database, trail).fault is None


def test_names_that_a_database_can_not_take_are_kept(database: Database, trail: AuditTrail) -> None:
    record = Record("a" * 500, "officer", "x", "firm", "a\0b\udcff", details={"\0": "\udcff"})
    with database.write() as connection:
        trail.append(connection, record, NOW)
    assert check(database, trail).fault is None
    with database.read() as connection:
        (row,) = page(connection)
    assert (row.actor, row.object_id) == ("a" * 100, "a\\0b\\udcff")


def test_eight_threads_leave_no_gap(database: Database, trail: AuditTrail) -> None:
    errors: list[BaseException] = []

    def work(name: str) -> None:
        mine = AuditTrail(trail.key_file)
        try:
            for _ in range(25):
                with database.write() as connection:
                    mine.append(connection, Record(name, "officer", "x"), NOW)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    verdict = check(database, trail)
    assert (verdict.count, verdict.fault) == (200, None)


def test_who_looked_before_another_began_the_chain_goes_on_with_it(
    database: Database, trail: AuditTrail
) -> None:
    with database.write() as connection:
        trail.append(connection, Record("one", "officer", "x"), NOW)
    with database.write() as connection:
        trail._begin(connection)  # as it is called where no mark was there a moment ago
        trail.append(connection, Record("other", "officer", "x"), NOW)
    verdict = check(database, trail)
    assert (verdict.count, verdict.fault) == (2, None)


def test_pruning_leaves_a_chain_that_can_be_checked(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 6)
    later = NOW + timedelta(days=KEPT_DAYS + 3)
    with database.write() as connection:
        assert prune(connection, trail, before=NOW + timedelta(days=3), now=later) == 3
    assert check(database, trail) == Verdict(
        3, NOW + timedelta(days=3), NOW + timedelta(days=5), 3, None
    )
    write(database, trail, 1, start=later)
    assert check(database, trail).count == 4
    tamper(database, delete(AUDIT).where(AUDIT.c.sequence == 4))
    assert fault(database, trail) == "record 4 was removed (the next one is 5)"


def test_all_records_may_be_pruned(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 3)
    with database.write() as connection:
        pruned = prune(
            connection, trail, before=NOW + timedelta(days=50), now=NOW + timedelta(days=300)
        )
    assert pruned == 3
    assert check(database, trail).fault is None
    write(database, trail, 1)
    assert check(database, trail) == Verdict(1, NOW, NOW, 3, None)


def test_pruning_refuses_what_is_young(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 3)
    with pytest.raises(StoreError, match="200 days"), database.write() as connection:
        prune(connection, trail, before=NOW, now=NOW + timedelta(days=KEPT_DAYS - 1))
    with database.write() as connection:
        assert prune(connection, trail, before=NOW, now=NOW + timedelta(days=KEPT_DAYS)) == 0


def test_pruning_refuses_to_remove_traces(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 3)
    tamper(database, update(AUDIT).where(AUDIT.c.sequence == 2).values(actor="x"))
    with pytest.raises(StoreError, match="tampered"), database.write() as connection:
        prune(connection, trail, before=NOW + timedelta(days=3), now=NOW + timedelta(days=300))


def test_a_start_that_was_moved_is_found(database: Database, trail: AuditTrail) -> None:
    write(database, trail, 3)
    with database.write() as connection:
        connection.execute(
            insert(AUDIT_HEAD).values(mark="start", sequence=2, mac="0" * 64, seal="0" * 64)
        )
        connection.execute(delete(AUDIT).where(AUDIT.c.sequence <= 2))
    assert fault(database, trail) == "the mark “start” of the audit was edited"


def test_a_record_takes_little_more_than_its_statements(
    database: Database, trail: AuditTrail
) -> None:
    """Whatever the machine: reading the last mark, adding and moving it are three statements."""
    write(database, trail, 1)
    record = Record("li.na", "officer", "x")
    added, plain = [], []
    with database.write() as connection:
        for _ in range(300):
            start = time.thread_time()
            trail.append(connection, record, NOW)
            added.append(time.thread_time() - start)
            start = time.thread_time()
            for _statement in range(3):
                connection.execute(select(AUDIT_HEAD)).one()
            plain.append(time.thread_time() - start)
    assert sorted(added)[150] < 3 * sorted(plain)[150]
