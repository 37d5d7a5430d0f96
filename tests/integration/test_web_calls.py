"""A call's page: what it shows, how it is judged in two keys, who heard it, what is asked of the dialler."""

from __future__ import annotations

import re
import struct
import wave
from pathlib import Path

import pytest
import sqlalchemy as sa
from storage_cast import MINUTE, NOW, a_call, an_elder
from web_kit import Desk, Screen, count_queries

from storage.model import Answer, Turn
from visits.reviewing import flag
from web.audio import look, peaks, with_peaks
from xunfang.errors import NotFound
from xunfang.vocabulary import (
    Alert,
    AnswerSource,
    CallDisposition,
    CommandKind,
    ReviewVerdict,
    Speaker,
)

pytestmark = pytest.mark.integration
SECONDS = 12


def a_recording(desk: Desk, name: str = "2026/11/a.wav", seconds: float = SECONDS) -> Path:
    path = desk.config.recordings / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = b"".join(
        struct.pack("<hh", 8000 if n % 2 else -8000, n % 4000) for n in range(int(8000 * seconds))
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(frames)
    return path


def flagged(desk: Desk, said: str = "胸口有点闷", alert: Alert = Alert.REVIEW) -> int:
    with desk.store.begin() as work:
        who = an_elder(work, area_id=desk.cast.village_2, phone="13812349999", name="张德福")
        call = a_call(work, who, None, intended_at=NOW - 30 * MINUTE)
        work.turns.add(Turn(call.id, 1, Speaker.ELDER, said, "health", 0.7, 1.0, 2.0, alert, {}))
        work.calls.raise_alert(call.id, alert)
        work.calls.finish(call.id, ended_at=NOW - 20 * MINUTE, disposition=CallDisposition.COMPLETED)
        flag(work, call.id, NOW - 20 * MINUTE, desk.config.deadlines)
    return call.id


def in_queue(desk: Desk) -> int:
    """The call of the cast, flagged, with its recording and an answer."""
    with desk.store.begin() as work:
        flag(work, desk.cast.call, NOW - 10 * MINUTE, desk.config.deadlines)
        source = AnswerSource.SELF
        work.answers.put(Answer(desk.cast.call, "health", "health", "good", (), "", 0.8, source, NOW))
    a_recording(desk)
    return desk.cast.call


def sound_url(page: str) -> str:
    found = re.search(r'data-sound="([^"]+)"', page)
    assert found is not None
    return found[1]


def audited(desk: Desk, subject: str, kind: str) -> list[str]:
    with desk.store.read() as work:
        return [each.actor for each in work.audit.of(subject) if each.kind == kind]


# ---- the page --------------------------------------------------------------------------------------


def test_the_page_tells_what_was_said_and_why_it_was_flagged(desk: Desk) -> None:
    judged = {
        "answer": "worse",
        "judgements": [
            {
                "event": "fall",
                "polarity": "affirmed",
                "time": "now",
                "subject": "self",
                "start": 6,
                "end": 9,
                "evidence": "摔倒了",
                "entry": "fall.plain",
            }
        ],
        "reasons": ["fall.plain: 摔倒，本人，现在，确有其事（紧急）"],
    }
    call = in_queue(desk)
    with desk.store.begin() as work:
        said = "没事，就是我摔倒了"
        work.turns.add(Turn(call, 9, Speaker.ELDER, said, "health", 0.4, 8.0, 9.0, Alert.URGENT, judged))
    page = desk.supervisor.get(f"/calls/{call}").text
    assert '没事，就是我<mark class="danger">摔倒了</mark>' in page
    assert "<strong>摔倒</strong>，本人，现在，确有其事" in page
    assert "听不清，请听录音" in page
    assert "0.4" not in page
    assert "身体状况" in page
    assert "138****0001" in page
    assert "13812340001" not in page
    assert "每周短访" in page


def test_who_may_not_see_the_elder_gets_404_for_everything_of_his_call(desk: Desk) -> None:
    call = in_queue(desk)
    url = sound_url(desk.supervisor.get(f"/calls/{call}").text)
    other = desk.other_supervisor
    for path in (f"/calls/{call}", f"/calls/{call}/peaks.json", f"/calls/{call}/commands", url):
        assert other.get(path).status_code == 404
    for step in ("verdict", "seen", "answer", "reveal", "command"):
        sent = {"verdict": "confirmed", "question": "health", "answer": "good", "why": "x", "whose": "elder"}
        assert other.post(f"/calls/{call}/{step}", data=sent | {"kind": "call_now"}).status_code == 404
    with desk.store.read() as work:
        assert work.verdicts.of_call(call) == []
        assert work.commands.of_call(call) == []


def test_an_auditor_reads_and_finds_nothing_to_press(desk: Desk) -> None:
    page = desk.auditor.get(f"/calls/{in_queue(desk)}").text
    assert "我摔倒了" in page
    assert 'action="/calls/' not in page


def test_a_page_costs_the_same_however_long_the_call_was(desk: Desk) -> None:
    call = in_queue(desk)
    desk.supervisor.get(f"/calls/{call}")
    with count_queries(desk.store) as few:
        desk.supervisor.get(f"/calls/{call}")
    with desk.store.begin() as work:
        for seq in range(20, 60):
            work.turns.add(
                Turn(call, seq, Speaker.ELDER, "嗯", "health", 0.9, seq, seq + 1, Alert.REVIEW, {})
            )
    with count_queries(desk.store) as many:
        desk.supervisor.get(f"/calls/{call}")
    assert many.number == few.number


# ---- the sound -------------------------------------------------------------------------------------


def test_the_recording_comes_in_ranges_and_is_audited_once_for_an_opened_page(desk: Desk) -> None:
    call = in_queue(desk)
    url = sound_url(desk.supervisor.get(f"/calls/{call}").text)
    whole = desk.supervisor.get(url)
    assert whole.status_code == 200
    assert whole.headers["accept-ranges"] == "bytes"
    part = desk.supervisor.get(url, headers={"Range": "bytes=44-143"})
    assert part.status_code == 206
    assert part.content == whole.content[44:144]
    assert part.headers["content-range"] == f"bytes 44-143/{len(whole.content)}"
    beyond = desk.supervisor.get(url, headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416
    changed = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert desk.supervisor.get(url, headers=changed).status_code == 200
    assert whole.headers["etag"]
    assert audited(desk, f"call:{call}", "recording.played") == ["user:du"]
    again = sound_url(desk.supervisor.get(f"/calls/{call}").text)
    desk.supervisor.get(again)
    assert audited(desk, f"call:{call}", "recording.played") == ["user:du", "user:du"]


def test_no_sound_leaves_without_the_token_of_a_page_of_ones_own(desk: Desk) -> None:
    call = in_queue(desk)
    url = sound_url(desk.supervisor.get(f"/calls/{call}").text)
    for wrong in (url.split("?")[0], url[:-3] + "abc", url.replace(f"/{call}/", f"/{desk.cast.quiet_call}/")):
        assert desk.supervisor.get(wrong).status_code == 404
    assert desk.admin.get(url).status_code == 404  # another person's
    assert audited(desk, f"call:{call}", "recording.played") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "录音文件不在了"),
        (b"", "录音文件是空的"),
        (b"RIFF" + b"\0" * 40, "录音文件是空的"),
        (b"not a recording at all " * 10, "录音文件损坏"),
    ],
)
def test_a_recording_that_cannot_be_heard_says_why(content: bytes | None, words: str, desk: Desk) -> None:
    path = desk.config.recordings / "2026/11/a.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content)
    page = desk.supervisor.get(f"/calls/{desk.cast.call}").text
    assert words in page
    assert "我摔倒了" in page  # the words are still there
    assert desk.supervisor.get(f"/calls/{desk.cast.call}/peaks.json").status_code == 404
    assert "没有录音" in desk.supervisor.get(f"/calls/{desk.cast.quiet_call}").text


def test_a_path_that_leaves_the_folder_is_no_recording(desk: Desk, tmp_path: Path) -> None:
    desk.config.recordings.mkdir(exist_ok=True)
    secret = a_recording(desk, "../secret.wav")
    assert secret.exists()
    assert look(desk.config.recordings, "../secret.wav").path is None


def test_peaks_are_computed_once_and_anew_when_the_file_changed(desk: Desk) -> None:
    path = a_recording(desk)
    made = desk.supervisor.get(f"/calls/{desk.cast.call}/peaks.json").json()
    assert made["duration"] == SECONDS
    left, right = made["channels"]
    assert len(left) == len(right) == 1000
    assert set(left) == {24}  # 8000 of 32768 in hundredths
    kept = with_peaks(path)[1]
    stamp = kept.stat().st_mtime_ns
    desk.supervisor.get(f"/calls/{desk.cast.call}/peaks.json")
    assert kept.stat().st_mtime_ns == stamp
    kept.write_text("not json")
    assert peaks(path)["duration"] == SECONDS
    a_recording(desk, seconds=1)
    assert peaks(path)["duration"] == 1
    path.unlink()
    with pytest.raises(NotFound):
        peaks(path)


# ---- judging ---------------------------------------------------------------------------------------


def test_confirming_opens_the_case_and_goes_on_to_the_next_call(desk: Desk) -> None:
    first, second = in_queue(desk), flagged(desk)
    sent = desk.supervisor.post(f"/calls/{second}/verdict", data={"verdict": "confirmed", "given": "0"})
    assert sent.headers["location"] == f"/calls/{first}"
    assert "已判为“属实”，已立案" in desk.supervisor.get(sent.headers["location"]).text
    with desk.store.read() as work:
        review, call = work.reviews.get(second), work.calls.get(second)
        assert review is not None
        assert (review.done_by, review.done_at) == ("user:du", NOW)
        assert call is not None
        assert work.cases.open_for(call.elder_id) is not None
    last = desk.supervisor.post(f"/calls/{first}/verdict", data={"verdict": "confirmed", "queue": "?days=7"})
    assert last.headers["location"] == "/queue?days=7"


def test_a_false_alarm_needs_its_reason_and_closes_no_case(desk: Desk) -> None:
    call = flagged(desk)
    assert desk.supervisor.post(f"/calls/{call}/verdict", data={"verdict": "false_alarm"}).status_code == 400
    desk.supervisor.post(f"/calls/{call}/verdict", data={"verdict": "confirmed"})
    sent = {"verdict": "false_alarm", "reason": "电视或收音机的声音", "turn": "1"}
    answer = desk.supervisor.post(f"/calls/{call}/verdict", data=sent)
    page = desk.supervisor.get(answer.headers["location"]).text
    assert "仍须填写处置情况" in page
    assert "杜督导 11-23 09:00 判为“误报”：电视或收音机的声音" in page
    with desk.store.read() as work:
        given = work.verdicts.of_call(call)
        made = work.calls.get(call)
        assert made is not None
        case = work.cases.open_for(made.elder_id)
    assert [each.verdict for each in given] == [ReviewVerdict.CONFIRMED, ReviewVerdict.FALSE_ALARM]
    assert case is not None


def test_of_two_who_judge_the_second_is_told_what_the_first_said(desk: Desk) -> None:
    call = in_queue(desk)
    desk.supervisor.post(f"/calls/{call}/verdict", data={"verdict": "confirmed", "given": "0"})
    sent = {"verdict": "false_alarm", "reason": "玩笑", "given": "0"}
    answer = desk.admin.post(f"/calls/{call}/verdict", data=sent)
    assert answer.headers["location"] == f"/calls/{call}"
    assert "杜督导已于11-23 09:00判为“属实”" in desk.admin.get(answer.headers["location"]).text
    with desk.store.read() as work:
        assert len(work.verdicts.of_call(call)) == 1
    desk.admin.post(f"/calls/{call}/verdict", data=sent | {"given": "1", "turn": "2"})  # knowingly
    with desk.store.read() as work:
        assert [each.by for each in work.verdicts.of_call(call)] == ["user:du", "user:admin"]


def test_a_call_that_a_colleague_claimed_is_judged_only_after_taking_it_over(desk: Desk) -> None:
    call = in_queue(desk)
    desk.admin.post(f"/queue/{call}/claim")
    answer = desk.supervisor.post(f"/calls/{call}/verdict", data={"verdict": "confirmed"})
    page = desk.supervisor.get(answer.headers["location"]).text
    assert "何县长已于11-23 09:00认领，正在复核；如需由您处理，请先点“接手”" in page
    taken = {"instead_of": "admin", "back": f"/calls/{call}"}
    assert desk.supervisor.post(f"/queue/{call}/claim", data=taken).headers["location"] == f"/calls/{call}"
    desk.supervisor.post(f"/calls/{call}/verdict", data={"verdict": "confirmed"})
    with desk.store.read() as work:
        assert len(work.verdicts.of_call(call)) == 1


def test_a_call_with_two_alerts_leaves_the_queue_when_both_are_judged(desk: Desk) -> None:
    call = in_queue(desk)
    with desk.store.begin() as work:
        work.turns.add(Turn(call, 5, Speaker.ELDER, "没吃的了", "needs", 0.7, 9, 10, Alert.REVIEW, {}))
    sent = {"verdict": "confirmed", "turn": "5"}
    assert desk.supervisor.post(f"/calls/{call}/verdict", data=sent).headers["location"] == f"/calls/{call}"
    refused = desk.supervisor.post(f"/calls/{call}/seen")
    assert "还有1处报警没有判断" in desk.supervisor.get(refused.headers["location"]).text
    desk.supervisor.post(f"/calls/{call}/verdict", data={"verdict": "confirmed"})
    with desk.store.read() as work:
        review = work.reviews.get(call)
        assert {each.turn_seq for each in work.verdicts.of_call(call)} == {2, 5}
    assert review is not None
    assert review.done_at == NOW


def test_a_missed_alert_is_added_to_a_quiet_call(desk: Desk) -> None:
    sent = {"verdict": "missed", "turn": "2", "urgent": "1"}
    desk.supervisor.post(f"/calls/{desk.cast.quiet_call}/verdict", data=sent)
    with desk.store.read() as work:
        case = work.cases.open_for(desk.cast.quiet_elder)
    assert case is not None
    assert case.priority.value == "urgent"


def test_a_corrected_answer_stands_beside_the_machines(desk: Desk) -> None:
    call = in_queue(desk)
    sent = {"question": "health", "answer": "worse", "why": "听录音，系统没听清"}
    assert desk.supervisor.post(f"/calls/{call}/answer", data=sent).status_code == 303
    page = desk.supervisor.get(f"/calls/{call}").text
    assert "不如以前" in page
    assert "系统听成：好" in page
    wrong = sent | {"answer": "nonsense"}
    assert desk.supervisor.post(f"/calls/{call}/answer", data=wrong).status_code == 400


def test_a_number_is_shown_once_asked_for_and_that_is_in_the_audit(desk: Desk) -> None:
    call = in_queue(desk)
    with desk.store.begin() as work:
        kin = work.contacts.add(elder_id=desk.cast.elder, position=1, name="王建军", phone="13900001111")
    page = desk.supervisor.get(f"/calls/{call}").text
    assert "139****1111" in page
    assert "13900001111" not in page
    htmx = {"HX-Request": "true"}
    url = f"/calls/{call}/reveal"
    shown = desk.supervisor.post(url, data={"whose": f"contact:{kin.id}"}, headers=htmx)
    assert 'href="tel:13900001111"' in shown.text
    assert desk.supervisor.post(url, data={"whose": "contact:999"}).status_code == 404
    assert audited(desk, f"elder:{desk.cast.elder}", "number.revealed") == ["user:du"]


# ---- what is asked of the dialler ------------------------------------------------------------------


def test_a_command_is_written_for_the_dialler_and_its_number_is_sealed(desk: Desk) -> None:
    live = desk.cast.live_call
    post = desk.supervisor.post
    assert post(f"/calls/{live}/command", data={"kind": "take_over", "number": "x"}).status_code == 400
    assert post(f"/calls/{live}/command", data={"kind": "nonsense"}).status_code == 400
    post(f"/calls/{live}/command", data={"kind": "take_over", "number": "139 1234 0009"})
    post(f"/calls/{live}/command", data={"kind": "hang_up"})
    assert post(f"/calls/{desk.cast.call}/command", data={"kind": "hang_up"}).status_code == 409  # over
    with desk.store.read() as work:
        asked = work.commands.of_call(live)
        raw = [row[0] for row in work.db.rows(sa.text("SELECT number FROM call_command"))]
    assert [each.kind for each in asked] == [CommandKind.HANG_UP, CommandKind.TAKE_OVER]
    assert asked[1].number == "13912340009"
    assert not any("13912340009" in (each or "") for each in raw)
    assert "等待执行" in desk.supervisor.part(f"/calls/{live}/commands").text
    desk.clock.move(MINUTE)
    assert "没有拨号机应答" in desk.supervisor.part(f"/calls/{live}/commands").text
    assert audited(desk, f"call:{live}", "call.commanded") == ["user:du", "user:du"]


# ---- in a browser ----------------------------------------------------------------------------------


def test_the_common_case_takes_three_keys_from_the_queue(screen: Screen) -> None:
    desk = screen.desk
    call, other = in_queue(desk), flagged(desk)
    page = screen.signed_in("du")
    page.goto("/queue")
    keys = 0

    def press(key: str) -> None:
        nonlocal keys
        keys += 1
        page.keyboard.press(key)

    press("n")  # the most urgent one
    page.wait_for_url(f"**/calls/{call}")
    page.wait_for_selector("[data-drawn]")
    press(" ")  # listened to
    page.wait_for_selector("[data-play]:has-text('暂停')")
    press("y")  # it is one
    page.wait_for_url(f"**/calls/{other}")
    assert keys == 3
    page.keyboard.press("f")  # and a false alarm: two keys more
    page.keyboard.press("2")
    page.wait_for_url("**/queue")
    assert "没有待复核的通话" in page.inner_text("#rows")
    assert screen.errors == []
    with desk.store.read() as work:
        verdicts = [work.verdicts.of_call(each)[-1] for each in (call, other)]
    assert [(each.verdict.value, each.reason) for each in verdicts] == [
        ("confirmed", ""),
        ("false_alarm", "说的是别人的事"),
    ]


def test_the_transcript_goes_with_the_sound_and_a_line_seeks(screen: Screen) -> None:
    desk = screen.desk
    call = in_queue(desk)
    page = screen.signed_in("du")
    page.goto(f"/calls/{call}")
    page.wait_for_selector("[data-drawn]")
    assert audited(desk, f"call:{call}", "recording.played") == []  # opened is not yet played
    page.click("#turn-2 p >> nth=0")
    page.wait_for_selector("#turn-2.now")
    page.wait_for_selector("[data-clock]:has-text('0:07')")
    page.wait_for_selector("#turn-3.now")
    page.keyboard.press(" ")
    page.wait_for_selector("[data-play]:has-text('播放')")
    for _ in range(10):  # how far it had played before it was stopped depends on the machine
        page.keyboard.press("ArrowLeft")
        if page.is_visible("#turn-2.now"):
            break
    page.wait_for_selector("#turn-2.now")
    page.keyboard.press("j")
    page.wait_for_selector("#turn-1[aria-selected=true].now")
    assert audited(desk, f"call:{call}", "recording.played") == ["user:du"]
    assert screen.errors == []


def test_a_live_call_is_listened_in_to_while_it_is_recorded(screen: Screen) -> None:
    desk = screen.desk
    path = a_recording(desk, "2026/11/live.wav", seconds=2)
    with desk.store.begin() as work:
        who = work.elders.get(desk.cast.elder)
        assert who is not None
        live = a_call(work, who, None, recording="2026/11/live.wav").id
        work.calls.answered(live, NOW)
    page = screen.signed_in("du")
    page.goto(f"/calls/{live}")
    page.click("[data-listen-in]")
    page.wait_for_selector("[data-listen-in][data-heard='8000']")  # the last second, to begin with
    with path.open("ab") as file:
        file.write(b"\0" * 4 * 8000)
    page.wait_for_selector("[data-listen-in][data-heard='16000']")
    with desk.store.begin() as work:
        work.turns.add(Turn(live, 1, Speaker.ELDER, "听得见", "identity", 0.9, 0.5, 1.0, Alert.NONE, {}))
    page.wait_for_selector("text=听得见")
    with desk.store.begin() as work:
        work.calls.finish(live, ended_at=NOW, disposition=CallDisposition.COMPLETED)
    page.wait_for_selector("text=刷新页面听录音")
    assert audited(desk, f"call:{live}", "call.listened_in") == ["user:du"]
    assert screen.errors == []
