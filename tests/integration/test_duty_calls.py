"""The duty person (值班) rung over real SIP: who answers is asked first, and no machine is taken for him.

Elders are SIPp and baresip behind Kamailio, duty telephones are softphones that play recorded speech.
Dialogue, recognition and the sentence that whoever answers hears are as in service; what the elder hears is
a short sound, because what is tested is who is joined with him.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from peers import baresip, kamailio, sipp
from softphone import WAIT_FOR_NOTHING, Softphone
from test_session_calls import Log, clip

from ivr.dialogue import dialplan
from ivr.dialogue.model import Because, Callee
from ivr.session.config import DutyConfig, LineConfig
from ivr.session.fleet import Fleet
from ivr.session.model import CallEvent, CallOrder, DutyRang, TurnHeard
from ivr.speech.prompts import Entry, PromptStore, add_to_index, text_hash
from ivr.telephony.model import TrunkConfig
from scheduler.dispatch import DispatchConfig
from scheduler.inbound import Reception
from scheduler.journal import Journal
from scheduler.policy import Policy
from sip_test_harness import audio, voices
from sip_test_harness.ghost import alaw
from sip_test_harness.model import Message
from storage import Store
from visits.history import sentence
from xunfang import wiring
from xunfang.clock import SystemClock
from xunfang.vocabulary import CallDisposition, CaseKind, DutyOutcome, Priority, Speaker

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "ivr" / "dialplans" / "prompts"
PLAN = dialplan.load("demo_short")
PHONE, TRUNK, BARESIP, LINE, SIPP = 6197, 6200, 6205, 6210, 6220
LINE_RTP, SIPP_RTP, BARESIP_RTP = 14000, 15000, 15400
FELL = audio.silence(0.2) + voices.spoken(voices.Line("zm_yunyang", 0.9, "我摔倒了，起不来了"))
MAILBOX, SILENT, HURRIED, CENTRE = "13800000031", "13800000032", "13800000033", "96110"
TRANSFERS = "13900000050"  # baresip, which carries out a REFER
GREETING = voices.spoken(voices.announcement(Message.VOICEMAIL)) + audio.silence(0.4) + audio.beep()

PERSONAS = {
    MAILBOX: {"answer": (180, 200), "script": [WAIT_FOR_NOTHING, GREETING]},
    SILENT: {"answer": (180, 200)},
    CENTRE: {"answer": (180, 200)},
    HURRIED: {
        "answer": (180, 200),
        "script": [WAIT_FOR_NOTHING, voices.spoken(voices.Line("zf_xiaoni", 0.9, "喂你好"))],
    },
}


def prompts(folder: Path) -> Path:
    """0.3 s of voice for all that the elder hears; what the duty person hears is real."""
    shipped, sound = PromptStore(SHIPPED), clip("hello")[4800:9600]
    real = (PLAN.urgent.duty_ask, PLAN.urgent.take_over_ask)
    folder.mkdir()
    entries = {}
    for text in PLAN.texts():
        audio.write_wav(folder / f"{text_hash(text)}.wav", shipped.pcm(text) if text in real else sound)
        entries[text] = Entry(f"{text_hash(text)}.wav", "short", 1.0, 0.3)
    add_to_index(folder, entries)
    return folder


class Place:
    """A trunk with telephones behind it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.prompts = prompts(folder / "prompts")
        self._stack = stack
        self._elders = 0
        self._lines = 0
        trunk = kamailio.Kamailio(TRUNK, folder, f"127.0.0.1:{PHONE}")
        stack.callback(trunk.stop)
        self.phone = stack.enter_context(Softphone(PHONE, personas=PERSONAS))

    def elder(self, scenario: str = "") -> str:
        """Somebody who has fallen and says so as soon as he answers; his number."""
        port = SIPP + self._elders
        sound = alaw(FELL + audio.silence(60.0))
        place = sipp.Sipp(
            f"elder{port}",
            scenario or sipp.answers(),
            port,
            SIPP_RTP + 20 * self._elders,
            self.folder,
            sound,
        )
        self._elders += 1
        self._stack.callback(place.stop)
        return str(port)

    def fleet(self, log: Log, duty: DutyConfig, lines: int = 1) -> Fleet:
        trunk = TrunkConfig(
            gateways=(f"127.0.0.1:{TRUNK}",),
            domain=f"127.0.0.1:{TRUNK}",
            username=kamailio.USER,
            password=kamailio.PASSWORD,
            sip_port=LINE + self._lines,
            rtp_port=LINE_RTP + 100 * self._lines,
        )
        self._lines += lines
        fleet = Fleet(
            LineConfig(
                trunk=trunk,
                model_dir=str(ROOT / "asr_models" / "starter"),
                prompts=str(self.prompts),
                lines=lines,
                duty=duty,
                log_level="WARNING",
            ),
            log.take if isinstance(log, Ledger) else log.events.append,
            SystemClock(),
        )
        fleet.start()
        self._stack.callback(fleet.stop, 0)
        return fleet


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("duty"), stack)


class Ledger(Log):
    """Keeps events as the service does."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        config = DispatchConfig(Policy())
        self._journal = Journal(store, config.policy)
        self._reception = Reception(
            store, SystemClock(), config, dialplan.load, can_offer=lambda text: False, owner=lambda: None
        )

    def take(self, event: CallEvent) -> None:
        wiring.keep(event, self.store, self._journal, self._reception)
        self.events.append(event)

    def call(self, number: str) -> tuple[int, int]:
        """The intent to call an elder; ids of elder and call."""
        now = SystemClock().now()
        with self.store.begin() as work:
            elder = work.elders.add(name="王秀兰", sex="F", phone=number)
            call = work.calls.begin(
                plan_id=None,
                elder_id=elder.id,
                attempt=1,
                dialplan=PLAN.name,
                dialplan_hash=PLAN.hash,
                intended_at=now,
                number=number,
            )
        return elder.id, call.id


def order(call_id: int, elder: str, duty: str) -> CallOrder:
    return CallOrder(call_id, elder, PLAN.name, Callee(), tail_ms=1000, duty_number=duty)


def outcomes(log: Log, call_id: int) -> list[tuple[int, DutyOutcome]]:
    return [(event.nth, event.outcome) for event in log.of(call_id) if isinstance(event, DutyRang)]


def came(outcome: DutyOutcome) -> Callable[[CallEvent], bool]:
    return lambda event: isinstance(event, DutyRang) and event.outcome is outcome


def said(log: Log, call_id: int) -> list[str]:
    """All that the elder was told and all that was written about the duty telephones, in order."""
    turns = [event for event in log.of(call_id) if isinstance(event, TurnHeard)]
    return [event.text for event in turns if event.speaker is Speaker.SYSTEM]


def test_a_voicemail_is_left_and_a_silent_line_waited_for_while_the_next_number_rings(place: Place) -> None:
    log = Log()
    fleet = place.fleet(log, DutyConfig(others=(HURRIED,), ring_s=10.0), lines=2)
    fleet.dial(order(1, place.elder(), MAILBOX))
    fleet.dial(order(2, place.elder(), SILENT))
    for call_id in (1, 2):
        log.wait(call_id, came(DutyOutcome.TAKEN), 40)
    # a mailbox is no human: its leg ends, the elder hears that we go on, and only then somebody is there
    assert outcomes(log, 1) == [(1, DutyOutcome.MACHINE), (2, DutyOutcome.TAKEN)]
    words = said(log, 1)
    assert words.index(PLAN.urgent.duty_next) < words.index("（值班电话2：有人接听，已与老人接通）")
    assert "（值班电话1：语音信箱或提示音，不是真人）" in words
    # somebody who says nothing is not cut off while the next one rings beside him
    assert outcomes(log, 2) == [(2, DutyOutcome.TAKEN)]
    for call_id in (1, 2):
        log.wait(call_id, lambda event: PLAN.urgent.duty_here in getattr(event, "text", ""), 10)
        fleet.hang_up(call_id)
        log.end(call_id, 10)
    fleet.stop(0)


def test_a_call_is_transferred_by_refer_and_bridged_when_the_carrier_refuses(place: Place) -> None:
    log = Log()
    fleet = place.fleet(log, DutyConfig(handover="refer", ring_s=10.0))
    refuses = (
        sipp.INVITE
        + sipp.reply("180 Ringing")
        + sipp.reply("200 OK", extra="Allow: INVITE, ACK, BYE, CANCEL, REFER\n", sdp=True, again=True)
        + sipp.ACK
        + sipp.AUDIO
        + '<recv request="REFER" timeout="30000"/>\n'
        + sipp.reply("603 Decline", tag="")
        + '<recv request="BYE" timeout="60000"/>\n'
        + sipp.reply("200 OK", tag="")
    )
    elder = baresip.Baresip(TRANSFERS, f"127.0.0.1:{TRUNK}", BARESIP, BARESIP_RTP, place.folder, FELL)
    try:
        fleet.dial(order(1, TRANSFERS, CENTRE))
        fleet.dial(order(2, place.elder(refuses), HURRIED))
        fleet.dial(order(3, place.elder(), MAILBOX))  # does not say that it takes REFER: never asked
        moved = log.end(1, 40)
        log.wait(3, came(DutyOutcome.NOT_TRANSFERRED), 40)
        log.wait(2, came(DutyOutcome.TAKEN), 40)
    finally:
        elder.stop()
    # the elder's own telephone has called the centre, and only then we hung up
    place.phone.wait_for("Incoming", 1, called=CENTRE, caller=TRANSFERS)
    assert outcomes(log, 1) == [(0, DutyOutcome.TRANSFERRED)]
    assert (moved.disposition, moved.because, moved.hung_up_by) == (
        CallDisposition.COMPLETED,
        Because.URGENT,
        "us",
    )
    assert outcomes(log, 2) == [(0, DutyOutcome.NOT_TRANSFERRED), (1, DutyOutcome.TAKEN)]
    fleet.stop(0)


def test_when_only_machines_answer_the_elder_hears_calm_words_and_the_case_is_urgent_with_all_that_was_tried(
    place: Place, sqlite_store: Store
) -> None:
    log = Ledger(sqlite_store)
    fleet = place.fleet(log, DutyConfig(rounds=1, ring_s=10.0))
    elder = place.elder()
    elder_id, call_id = log.call(elder)
    fleet.dial(order(call_id, elder, MAILBOX))
    log.wait(call_id, lambda event: PLAN.urgent.duty_failed in getattr(event, "text", ""), 40)
    assert fleet.live() == [call_id], "nobody has come, and the line is still held"
    with sqlite_store.read() as work:
        case = work.cases.open_for(elder_id)
        assert case is not None
        history = [
            sentence(each.kind, each.detail, lambda id: "", "Asia/Shanghai")
            for each in work.audit.of(f"case:{case.id}")
        ]
        told = {each.to for each in work.notices.of_case(case.id)}
    assert (case.kind, case.priority) == (CaseKind.DISTRESS, Priority.URGENT)
    assert case.deadline is not None
    assert case.deadline - case.opened_at <= timedelta(minutes=30)
    assert {"duty", "webhook"} <= told
    assert history[-2:] == [
        f"值班电话1：语音信箱或提示音，不是真人（通话{call_id}）",
        f"值班电话：全部没有人接管（通话{call_id}）",
    ]
    fleet.hang_up(call_id)
    assert log.end(call_id, 10).because is not None
    fleet.stop(0)
