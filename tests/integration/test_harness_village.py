"""The village answers real calls: every behaviour, over real SIP and RTP, four calls at a time and more."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from peers import kamailio
from peers.caller import Call, CallPlan, Outcome, place

from ivr.telephony.model import TrunkConfig
from sip_test_harness import Kind, Village, VillageEvent, audio, list_personas, load_persona, voices
from sip_test_harness.ears import Bank
from sip_test_harness.fluent import Phone
from sip_test_harness.formats import persona_from
from sip_test_harness.model import KeyMethod, Message
from xunfang.errors import TrunkError
from xunfang.vocabulary import CallDisposition

pytestmark = [pytest.mark.integration, pytest.mark.realtime]
pytest_plugins = ["sip_test_harness.pytest_plugin"]

PORT, RTP = 6160, 16000
OTHER_PORT, OTHER_RTP = 6170, 16400
IN_HAND_PORT, IN_HAND_RTP = 6180, 16800
TRUNK_PORT = 6190
OUR_RTP = 17200

# Recordings that stand in for the system's prompts; the words are what personas react to.
QUESTIONS = {
    "请问，是您本人吗？": Message.POWERED_OFF,
    "您这几天，身体好吗？": Message.INVALID,
    "有什么事，要我们帮忙吗？": Message.IN_CALL,
    "身体不好，请按一。": Message.UNREACHABLE,
}


def prompt(*texts: str) -> bytes:
    return b"".join(
        voices.spoken(voices.announcement(QUESTIONS[text])) + audio.silence(0.2) for text in texts
    )


def trunk(rtp_port: int = OUR_RTP, port: int = PORT) -> TrunkConfig:
    return TrunkConfig(
        gateways=(f"127.0.0.1:{port}",),
        rtp_port=rtp_port,
        rtp_ports=100,
        setup_s=2.0,
        ring_s=9.0,
    )


def contains(recording: bytes, heard: bytes) -> bool:
    """Whether the recording was heard at all."""
    bank = Bank([("it", recording)])
    return any(bank.name(heard[:end])[0] for end in range(4000, len(heard) + 4000, 4000))


@pytest.fixture(scope="session")
def softphone_ports() -> tuple[int, int]:
    return IN_HAND_PORT, IN_HAND_RTP


@pytest.fixture(scope="session")
def softphone_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prompts")
    rows = {}
    for text, message in QUESTIONS.items():
        file = voices.announcement(message).file
        shutil.copy(voices.VOICES / file, folder / file)
        rows[text] = {"file": file}
    (folder / "index.yaml").write_text(yaml.safe_dump(rows, allow_unicode=True), "utf-8")
    return folder


@pytest.fixture(scope="module")
def village(softphone_prompts: Path) -> Iterator[Village]:
    with Village(list_personas(), port=PORT, rtp_port=RTP, processes=2, prompts=softphone_prompts) as village:
        yield village


CONVERSATION = (
    prompt("请问，是您本人吗？"),
    prompt("您这几天，身体好吗？"),
    prompt("有什么事，要我们帮忙吗？"),
)
# persona -> (plan, disposition, what the dialogue would have concluded, what a voice named)
Case = tuple[CallPlan, CallDisposition, str | None, str | None]


def cases() -> dict[str, Case]:
    def plan(name: str, rounds: tuple[bytes, ...] = (), talk_s: float | None = 15.0) -> CallPlan:
        return CallPlan(load_persona(name).number, rounds, talk_s)

    talk = CONVERSATION
    return {
        "well": (plan("well", talk[:2], None), CallDisposition.COMPLETED, "finished", None),
        "meals": (plan("meals", talk, None), CallDisposition.COMPLETED, "finished", None),
        "bad_line": (plan("bad_line", talk[:1], None), CallDisposition.COMPLETED, "finished", None),
        "busy_then_answers": (plan("busy_then_answers"), CallDisposition.BUSY, None, None),
        "rejects": (plan("rejects"), CallDisposition.REJECTED, None, None),
        "no_answer": (plan("no_answer"), CallDisposition.NO_ANSWER, None, None),
        "powered_off": (plan("powered_off"), CallDisposition.POWERED_OFF, None, "powered_off"),
        "invalid_number": (plan("invalid_number"), CallDisposition.INVALID_NUMBER, None, None),
        "suspended": (plan("suspended"), CallDisposition.SUSPENDED, "announcement", "suspended"),
        "voicemail": (plan("voicemail", (), 7.0), CallDisposition.VOICEMAIL, "machine", "voicemail"),
        "silent": (plan("silent", (), 3.0), CallDisposition.ANSWERED_SILENT, "silent", None),
        "hangs_up_early": (plan("hangs_up_early"), CallDisposition.HUNG_UP_EARLY, "hung_up", None),
        "line_dies": (plan("line_dies"), CallDisposition.INTERRUPTED, "media_lost", None),
        "trunk_down": (plan("trunk_down"), CallDisposition.TRUNK_FAILURE, None, None),
        "keypad": (
            plan("keypad", (prompt("身体不好，请按一。"),), 11.0),
            CallDisposition.COMPLETED,
            "finished",
            None,
        ),
        # Last, because the line that called it is not free again for half a minute.
        "black_hole": (plan("black_hole"), CallDisposition.TRUNK_FAILURE, None, None),
    }


# Longest first: so they all end at about the same time.
LONG = ("meals", "well", "keypad", "no_answer", "powered_off", "suspended", "invalid_number", "bad_line")
CASES = dict(sorted(cases().items(), key=lambda case: (case[0] == "black_hole", case[0] not in LONG)))
Events = dict[str, list[VillageEvent]]


@pytest.fixture(scope="module")
def calls(village: Village) -> tuple[dict[str, Outcome], Events]:
    """Every persona called once: by name what the caller saw, and what the village saw."""
    plans = [plan for plan, *_ in CASES.values()]
    with ThreadPoolExecutor() as callers:  # two lines of four calls each
        halves = callers.map(
            lambda half: place(plans[half::2], trunk(OUR_RTP + 300 + 100 * half), within=90), (0, 1)
        )
        called = {number: outcome for half in halves for number, outcome in half.items()}
    seen: Events = defaultdict(list)
    for event in village.events():
        seen[event.persona].append(event)
    return {name: called[plan.number] for name, (plan, *_) in CASES.items()}, seen


def kinds(events: list[VillageEvent]) -> list[Kind]:
    return [event.kind for event in events]


@pytest.mark.parametrize("name", CASES)
def test_each_persona_ends_with_its_disposition(name: str, calls: tuple[dict[str, Outcome], Events]) -> None:
    _, disposition, because, announced = CASES[name]
    outcome = calls[0][name]
    assert outcome.disposition(because, announced) is disposition, outcome


def test_the_reply_fits_the_question_that_was_played(calls: tuple[dict[str, Outcome], Events]) -> None:
    said = [event.text for event in calls[1]["meals"] if event.kind is Kind.SAID]
    assert said[:4] == ["喂，哪位", "是我", "身体挺好", "需要送饭"]
    heard = [event.text for event in calls[1]["meals"] if event.kind is Kind.HEARD and event.text]
    assert heard[:3] == list(QUESTIONS)[:3]


def test_the_caller_hears_what_the_elder_says(calls: tuple[dict[str, Outcome], Events]) -> None:
    reply = voices.spoken(voices.Line("zf_xiaoni", 0.9, "需要送饭"))
    assert contains(reply, calls[0]["meals"].heard)
    assert not contains(reply, calls[0]["well"].heard)


def test_noise_and_lost_frames_are_heard_by_the_caller(calls: tuple[dict[str, Outcome], Events]) -> None:
    bad, good = (calls[0][name].heard for name in ("bad_line", "well"))
    assert quietest(good) < 20 < 100 < quietest(bad)


def quietest(pcm: bytes) -> float:
    """RMS exceeded by three quarters of the frames of the talk's middle: the background."""
    frames = sorted(audio.rms(pcm[at : at + 320]) for at in range(48_000, len(pcm) - 32_000, 320))
    return frames[len(frames) // 4]


def test_an_announcement_is_heard_before_or_after_the_answer(
    calls: tuple[dict[str, Outcome], Events],
) -> None:
    for name, message in (("powered_off", Message.POWERED_OFF), ("suspended", Message.SUSPENDED)):
        outcome = calls[0][name]
        assert contains(voices.spoken(voices.announcement(message)), outcome.heard)
        assert outcome.evidence.answered == (name == "suspended")
    assert calls[0]["powered_off"].evidence.sip_code == 480
    assert calls[0]["powered_off"].evidence.q850 == 20


def test_keys_arrive_where_they_were_asked_for(calls: tuple[dict[str, Outcome], Events]) -> None:
    assert calls[0]["keypad"].keys == (("1", "rfc2833"),)


def test_a_line_that_dies_stops_its_media_but_sends_no_bye(calls: tuple[dict[str, Outcome], Events]) -> None:
    outcome = calls[0]["line_dies"]
    assert outcome.evidence.our_reason == "rtp_lost"
    assert 100 <= outcome.evidence.rtp_packets <= 150
    assert contains(voices.spoken(voices.Line("zf_xiaoni", 0.9, "喂你好")), outcome.heard)


def test_a_black_hole_never_replies(calls: tuple[dict[str, Outcome], Events]) -> None:
    assert calls[0]["black_hole"].evidence.our_reason == "trunk_no_reply"
    assert kinds(calls[1]["black_hole"]) == [Kind.INCOMING]


def test_nothing_in_the_village_went_wrong(calls: tuple[dict[str, Outcome], Events]) -> None:
    assert [event for events in calls[1].values() for event in events if event.kind is Kind.ERROR] == []


def test_busy_at_first_then_answered_whichever_process_takes_the_call(
    calls: tuple[dict[str, Outcome], Events], village: Village
) -> None:
    plan = CallPlan(load_persona("busy_then_answers").number, (), 1.0)
    assert place([plan], trunk(OUR_RTP + 100))[plan.number].evidence.answered
    village.forget_calls()
    assert place([plan], trunk(OUR_RTP + 100))[plan.number].disposition() is CallDisposition.BUSY


def test_a_number_nobody_has_is_refused_and_told(village: Village, softphone_prompts: Path) -> None:
    before = len(village.events())
    outcome = place([CallPlan("13911111111")], trunk(OUR_RTP + 100))["13911111111"]
    assert outcome.disposition() is CallDisposition.INVALID_NUMBER
    assert Kind.ERROR in kinds(village.events()[before:])


def test_through_kamailio_with_digest_authentication(village: Village, tmp_path: Path) -> None:
    carrier = kamailio.Kamailio(TRUNK_PORT, tmp_path, village.gateway)
    try:
        config = TrunkConfig(
            gateways=(f"127.0.0.1:{TRUNK_PORT}",),
            domain="trunk.test",
            username=kamailio.USER,
            password=kamailio.PASSWORD,
            rtp_port=OUR_RTP + 100,
        )
        plans = [
            CallPlan(load_persona("well").number, CONVERSATION[:1]),
            CallPlan(load_persona("rejects").number),
        ]
        called = place(plans, config)
    finally:
        carrier.stop()
    well, rejects = (called[plan.number] for plan in plans)
    assert well.disposition("finished") is CallDisposition.COMPLETED
    assert contains(voices.spoken(voices.Line("zf_xiaoni", 0.9, "是我")), well.heard)
    assert rejects.disposition() is CallDisposition.REJECTED


def test_a_softphone_process_that_dies_is_told_and_started_again(softphone_prompts: Path) -> None:
    persona = load_persona("silent")
    with Village([persona], port=OTHER_PORT, rtp_port=OTHER_RTP, prompts=softphone_prompts) as village:
        (pid,) = village.pids
        seen = len(village.events())
        os.kill(pid, signal.SIGKILL)
        assert village.wait_for(lambda event: event.kind is Kind.ERROR, seen)
        assert village.wait_for(lambda event: event.kind is Kind.READY, seen)
        assert village.pids != (pid,)
        plan = CallPlan(persona.number, (), 1.0)
        assert place([plan], trunk(OUR_RTP + 100, OTHER_PORT))[persona.number].evidence.answered


def test_a_taken_port_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind(("127.0.0.1", OTHER_PORT))
        with pytest.raises(TrunkError, match=f"127.0.0.1:{OTHER_PORT}"):
            Village([], port=OTHER_PORT, rtp_port=OTHER_RTP).start()


# ---- a telephone in the test's hand ----------------------------------------------------------------


def test_a_test_can_hold_a_telephone(phone: Callable[..., Phone], softphones: Village) -> None:
    elder = phone("13900000060")
    plan = CallPlan("13900000060", (prompt("请问，是您本人吗？"), prompt("身体不好，请按一。")), 20.0)
    with Call(plan, trunk(OUR_RTP + 200, IN_HAND_PORT)) as call:
        elder.expect_call().rings().answer().says("喂")
        elder.hears_prompt("本人").says("是我")
        elder.hears_prompt().presses("1").presses("2", by=KeyMethod.INFO)
        elder.hangs_up()
        outcome = call.outcome()
    assert outcome.keys == (("1", "rfc2833"), ("2", "info"))
    assert outcome.evidence.hung_up_by == "them"
    assert elder.heard() == ["请问，是您本人吗？", "身体不好，请按一。"]


def test_a_refusal_by_hand_and_a_callers_hangup(phone: Callable[..., Phone], softphones: Village) -> None:
    elder = phone("13900000061")
    with Call(CallPlan("13900000061"), trunk(OUR_RTP + 200, IN_HAND_PORT)) as call:
        elder.expect_call().refuses(486, q850=17)
        assert call.outcome().disposition() is CallDisposition.BUSY
    with Call(CallPlan("13900000061", keys="7", talk_s=1.0), trunk(OUR_RTP + 200, IN_HAND_PORT)):
        elder.expect_call().answer().hears_key("7").expect_hangup()


def test_a_call_to_a_full_village_waits_until_somebody_hangs_up(
    phone: Callable[..., Phone], softphones: Village
) -> None:
    talking = [phone(f"1390000007{at}") for at in range(softphones.lines)]
    late = phone("13900000079")
    plans = [CallPlan(elder.number, (), 8.0) for elder in talking]
    with ThreadPoolExecutor() as callers:
        called = callers.submit(place, plans, trunk(OUR_RTP + 200, IN_HAND_PORT))
        for elder in talking:
            elder.expect_call().answer()
        with Call(CallPlan(late.number, (), 1.0), trunk(OUR_RTP + 500, IN_HAND_PORT)) as call:
            nobody = softphones.wait_for(lambda event: event.number == late.number, within=1.5)
            assert nobody is None  # it hears 100 Trying, no telephone rings
            talking[0].hangs_up()
            late.expect_call().answer().expect_hangup()
            assert call.outcome().evidence.answered
        for elder in talking[1:]:
            elder.hangs_up()
        called.result()


def test_a_caller_that_dies_is_hung_up_after_three_seconds(
    phone: Callable[..., Phone], softphones: Village
) -> None:
    elder = phone("13900000062")
    with Call(
        CallPlan("13900000062", (CONVERSATION[0],) * 9, 60.0), trunk(OUR_RTP + 200, IN_HAND_PORT)
    ) as call:
        elder.expect_call().answer()
        call.kill()
        elder.expect_media_lost(within=6.0)


def test_what_does_not_happen_is_an_assertion_that_says_so(
    phone: Callable[..., Phone], softphones: Village
) -> None:
    with pytest.raises(AssertionError, match=r"no call came within 0.1 s"):
        phone("13900000063").expect_call(within=0.1)


def test_an_unexpected_call_is_counted(softphones: Village) -> None:
    elder = Phone(softphones, "13900000064")
    with Call(CallPlan("13900000064"), trunk(OUR_RTP + 200, IN_HAND_PORT)) as call:
        softphones.wait_for(lambda event: event.number == elder.number)
        assert elder.unexpected == 1
        elder.refuses(486)
        call.outcome()


def test_somebody_can_move_in_while_the_village_lives(village: Village) -> None:
    village.add(
        persona_from(
            {
                "number": "13900000065",
                "name": "新来的",
                "sex": "male",
                "voice": "zm_yunyang",
                "story": "刚搬来",
                "attempts": [{"does": "reject", "ring_s": 0}],
            }
        )
    )
    outcome = place([CallPlan("13900000065")], trunk(OUR_RTP + 100))["13900000065"]
    assert outcome.disposition() is CallDisposition.REJECTED
