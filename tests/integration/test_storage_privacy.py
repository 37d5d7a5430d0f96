"""Personal data is ciphertext in the database and absent from messages, on both engines."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from storage_cast import ADDRESS, ID_CARD, MINUTE, NAME, NOW, PHONE, SECRET, a_call, a_case, an_elder

from storage import Store
from storage.engine import database_url, open_engine
from storage.model import Turn
from storage.tables import metadata
from xunfang.errors import StorageError
from xunfang.log import mask
from xunfang.vocabulary import Speaker

pytestmark = pytest.mark.integration

NEW_SECRET = "another secret only for tests, 987"
HIDDEN = (PHONE, ID_CARD, NAME, ADDRESS, "13700001111", "王建国", "村委小张", "13700002222", "0431-88881234")


def fill(store: Store) -> int:
    with store.begin() as work:
        village = work.areas.add(code="220183101205", name="幸福村", level="village", phone="0431-88881234")
        elder = an_elder(work, id_card=ID_CARD, area_id=village.id)
        work.contacts.add(elder_id=elder.id, position=1, name="王建国", phone="13700001111")
        work.visitors.add(name="村委小张", phone="13700002222", area_id=village.id)
        call = a_call(work, elder)
        case = a_case(work, elder, call_id=call.id)
        work.notices.add(
            kind="case.opened", to="duty", title=NAME, body=f"{NAME} {PHONE}", created_at=NOW, case_id=case.id
        )
    return elder.id


def everything_stored(url: str) -> Iterator[str]:
    engine = open_engine(database_url(url))
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            quoted = engine.dialect.identifier_preparer.quote(table.name)
            for row in connection.exec_driver_sql(f"SELECT * FROM {quoted}"):
                yield from (str(value) for value in row)
    engine.dispose()


def test_no_column_holds_a_name_a_number_or_an_address(database: str, store: Store) -> None:
    fill(store)
    stored = "\n".join(everything_stored(database))
    assert mask(PHONE) in stored  # the hint of the call: proof that we look at the right place
    for hidden in HIDDEN:
        assert hidden not in stored


def test_the_bytes_of_the_file_and_its_log_hold_none_either(sqlite_store: Store, tmp_path: Path) -> None:
    fill(sqlite_store)
    raw = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert mask(PHONE).encode() in raw
    for hidden in HIDDEN:
        assert hidden.encode() not in raw


def test_a_wrong_key_is_told_at_once_and_touches_nothing(database: str, store: Store) -> None:
    elder_id = fill(store)
    stranger = Store(database, [NEW_SECRET])
    for attempt in (stranger.read, stranger.begin):
        with pytest.raises(StorageError, match="secret key is not the one"), attempt():
            pass
    with pytest.raises(StorageError, match="secret key is not the one"):
        stranger.migrate()
    stranger.close()
    with store.read() as work:
        elder = work.elders.get(elder_id)
    assert elder is not None
    assert elder.phone == PHONE


def test_keys_are_rotated_while_the_service_runs_and_then_the_old_one_is_not_needed(
    database: str, store: Store
) -> None:
    elder_id = fill(store)
    both = Store(database, [NEW_SECRET, SECRET])
    with both.read() as work:
        assert [elder.id for elder in work.elders.find_by_phone(PHONE)] == [elder_id]
        assert work.calls.to_number_since(PHONE, NOW - MINUTE)[0] == 1
    assert both.rotate_keys() == 7  # key proof, area, elder, contact, visitor, case, notice
    assert both.rotate_keys() == 7
    both.close()
    new = Store(database, [NEW_SECRET])
    with new.read() as work:
        elder = work.elders.find_by_phone(PHONE)[0]
        assert (elder.id, elder.name, elder.address) == (elder_id, NAME, ADDRESS)
        assert work.elders.find_by_id_card(ID_CARD) == elder
        assert work.contacts.of(elder_id)[0].phone == "13700001111"
        assert work.cases.queue()[0].summary.startswith(NAME)
        assert work.notices.pending(NOW)[0].body == f"{NAME} {PHONE}"
    new.close()
    old = Store(database, [SECRET])
    with pytest.raises(StorageError, match="secret key is not the one"), old.read():
        pass
    old.close()


def test_what_is_printed_of_objects_shows_nobody(store: Store) -> None:
    elder_id = fill(store)
    with store.read() as work:
        printed = repr(
            [
                store,
                work.elders.get(elder_id),
                work.contacts.of(elder_id),
                work.calls.of_elder(elder_id),
                work.cases.queue(),
                work.notices.pending(NOW),
                work.areas.children(None),
                work.visitors.for_area(1),
            ]
        )
    for hidden in (*HIDDEN, SECRET):
        assert hidden not in printed


def _duplicate_id_card(store: Store) -> None:
    with store.begin() as work:
        an_elder(work, id_card=ID_CARD)


def _elder_in_no_area(store: Store) -> None:
    with store.begin() as work:
        an_elder(work, area_id=999)


def _name_missing(store: Store) -> None:
    with store.begin() as work:
        work.elders.update(1, name=None, phone=PHONE)


def _number_where_a_date_belongs(store: Store) -> None:
    with store.begin() as work:
        an_elder(work, birth_date=PHONE)


def _text_where_a_number_belongs(store: Store) -> None:
    with store.begin() as work:
        an_elder(work, tail_ms={"phone": PHONE})


def _writing_while_reading(store: Store) -> None:
    with store.read() as work:
        an_elder(work, id_card="110105194912310039")


@pytest.mark.parametrize(
    "mistake",
    [
        _duplicate_id_card,
        _elder_in_no_area,
        _name_missing,
        _number_where_a_date_belongs,
        _text_where_a_number_belongs,
        _writing_while_reading,
    ],
)
def test_no_message_and_no_traceback_quotes_the_row(store: Store, mistake: object) -> None:
    fill(store)
    with pytest.raises(StorageError) as caught:
        mistake(store)  # type: ignore[operator]
    told = "".join(traceback.format_exception(caught.value))
    assert "Error" in told
    for hidden in HIDDEN:
        assert hidden not in told
    with store.read() as work:
        assert len(work.elders.page()) == 1


def test_the_echo_of_statements_hides_their_values(
    database: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    said = "我胸口疼得厉害"  # not encrypted in the table, so only the log's silence hides it
    loud = Store(database, [SECRET], echo=True)
    with caplog.at_level("DEBUG"):
        elder_id = fill(loud)
        with loud.begin() as work:
            call = work.calls.of_elder(elder_id)[0]
            assert work.turns.add(Turn(call_id=call.id, seq=1, speaker=Speaker.ELDER, text=said))
    loud.close()
    assert "INSERT INTO elder" in caplog.text
    assert "INSERT INTO turn" in caplog.text
    for hidden in (*HIDDEN, said):
        assert hidden not in caplog.text


def test_chinese_in_json_columns_is_readable_in_the_database(database: str, store: Store) -> None:
    with store.begin() as work:
        work.audit.write(NOW, "system", "x", "case:1", {"why": "胸口疼"})
    assert "胸口疼" in "\n".join(everything_stored(database))
    engine = open_engine(database_url(database))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM audit")).scalar() == 1
    engine.dispose()
