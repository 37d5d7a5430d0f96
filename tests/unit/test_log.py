"""Personal data cannot reach a log line, not even by a slip."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xunfang import log

pytestmark = pytest.mark.unit


def logged(capsys: pytest.CaptureFixture[str], **fields: object) -> dict[str, object]:
    log.configure("INFO", as_json=True)
    log.get_logger("test").info("something", **fields)
    return dict(json.loads(capsys.readouterr().err))


def test_fields_marked_personal_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, pii_phone="13812340001")["pii_phone"] == "138****0001"


def test_a_number_that_slips_into_another_field_is_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, note="dialled 13812340001 and 220183194005061234")
    assert "13812340001" not in str(line["note"])
    assert "220183194005061234" not in str(line["note"])


def test_times_and_small_numbers_stay_readable(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, at="2026-11-22T04:44:18.123456Z", code="486")
    assert line["at"] == "2026-11-22T04:44:18.123456Z"
    assert line["code"] == "486"


@given(st.from_regex(r"\A1[3-9]\d{9}\Z"))
def test_a_mask_never_shows_the_middle_of_a_mobile_number(number: str) -> None:
    assert number[3:7] not in log.mask(number) or number[3:7] in (number[:3], number[-4:])


def test_a_closed_stderr_of_before_does_not_stop_who_logs_later(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = io.StringIO()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("sys.stderr", gone)
        log.configure("INFO", as_json=True)
    gone.close()
    log.get_logger("test").info("something")
    assert "something" in capsys.readouterr().err
