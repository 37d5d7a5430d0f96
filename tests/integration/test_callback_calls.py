"""Elders who ring back, over real SIP and RTP with real recognition, from the missed call to the closed case.

Prompts are a short sound, so that a call lasts seconds; everything else is as in service.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from peers import sipp
from storage_cast import SECRET

from ivr.dialogue import dialplan
from ivr.dialogue.plan import choice_text, greeting_text
from ivr.session.config import DutyConfig, LineConfig
from ivr.session.fleet import Fleet
from ivr.session.model import CallEvent
from ivr.speech import audio
from ivr.speech.prompts import Entry, PromptStore, add_to_index, text_hash
from ivr.telephony.model import TrunkConfig
from scheduler.caps import CapsConfig
from scheduler.dispatch import DispatchConfig, Dispatcher
from scheduler.hours import HoursConfig
from scheduler.inbound import Reception
from scheduler.journal import Journal
from scheduler.ladder import load_ladder
from scheduler.order import OrderConfig
from scheduler.planning import plan_due
from scheduler.policy import Policy
from sip_test_harness.fluent import Phone
from sip_test_harness.formats import persona_from
from sip_test_harness.ghost import alaw
from sip_test_harness.model import Kind
from sip_test_harness.orders import Order
from sip_test_harness.village import Village
from storage import Store
from storage.model import Call, Case, Elder, Incoming
from xunfang.clock import SystemClock
from xunfang.vocabulary import (
    Alert,
    CallDirection,
    CallDisposition,
    CallerKind,
    CaseKind,
    CaseStatus,
    ConsentPurpose,
    PlanStatus,
)

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

ROOT = Path(__file__).parents[2]
VILLAGE, LINE, SIPP, VILLAGE_RTP, LINE_RTP, SIPP_RTP = 5680, 5690, 5694, 20000, 20600, 20900
OURS = f"sip:96100@127.0.0.1:{LINE}"
RINGS_BACK, SHARED, STRANGER, DUTY = "13900000801", "043181230001", "13900000803", "13900000809"
VILLAGE_NUMBER = "043181234567"
PLANS = ("callback", "demo_short")
TITLES = ("王奶奶", "张爷爷")
SOUND_S = 0.2

# One call unanswered, and the ladder is at its end: a case is open when the elder rings back.
LADDER = """\
max_attempts: 3
dispositions:
  completed: {done: true}
""" + "".join(
    f"  {each.value}: {{retry: [], escalate: missed_call}}\n"
    for each in CallDisposition
    if each is not CallDisposition.COMPLETED
)


def short_prompts(folder: Path) -> Path:
    folder.mkdir()
    voice = audio.read_wav(ROOT / "tests" / "data" / "session" / "hello.wav")
    sound = voice[: audio.RATE_HZ][-int(audio.RATE_HZ * 2 * SOUND_S) :]
    texts = [text for name in PLANS for text in dialplan.load(name).texts()]
    texts += [make(title) for title in TITLES for make in (greeting_text, choice_text)]
    entries = {}
    for text in dict.fromkeys(texts):
        audio.write_wav(folder / f"{text_hash(text)}.wav", sound)
        entries[text] = Entry(f"{text_hash(text)}.wav", "short", 1.0, SOUND_S)
    add_to_index(folder, entries)
    return folder


class County:
    """A service on a SQLite database, a village of telephones, and a county's ledger."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.clock = SystemClock()
        self.events: list[CallEvent] = []
        (folder / "ladder.yaml").write_text(LADDER, "utf-8")
        self.policy = Policy(
            ladder=load_ladder(folder / "ladder.yaml"), hours=HoursConfig(windows=("00:00-24:00",))
        )
        prompts = short_prompts(folder / "prompts")
        self.fleet = Fleet(
            LineConfig(
                trunk=TrunkConfig(
                    gateways=(f"127.0.0.1:{VILLAGE}",),
                    caller_id="96100",
                    sip_port=LINE,
                    rtp_port=LINE_RTP,
                    ring_s=1.5,
                    answer=True,
                ),
                model_dir=str(ROOT / "asr_models" / "starter"),
                prompts=str(prompts),
                calls_per_line=2,
                reserve=1,
                duty=DutyConfig(ring_s=10.0),
                log_level="WARNING",
            ),
            self.heard,
            self.clock,
            lambda caller: self.reception.caller(caller),
        )
        config = DispatchConfig(
            policy=self.policy,
            caps=CapsConfig(min_gap=timedelta(0)),
            order=OrderConfig(recordings=folder / "recordings", duty_number=DUTY, tail_ms=1000),
        )
        load = cache(dialplan.load)
        self.dispatcher = Dispatcher(
            store, self.fleet, self.clock, config, hash_of=lambda name: load(name).hash
        )
        self.reception = Reception(
            store,
            self.clock,
            config,
            plan_of=load,
            can_offer=PromptStore(prompts).has,
            owner=lambda: self.dispatcher.dialler_id,
        )
        self.journal = Journal(store, self.policy, folder / "recordings", self.dispatcher.ended)
        with store.begin() as work:
            county = work.areas.add(code="220183000000", name="测试县", level="county")
            self.village = work.areas.add(
                code="220183101205",
                name="测试村",
                level="village",
                parent_id=county.id,
                phone=VILLAGE_NUMBER,
            ).id

    def heard(self, event: CallEvent) -> None:
        if not self.reception.heard(event):
            self.journal.handle(event)
        self.events.append(event)

    def elder(self, phone: str, name: str, sex: str = "F") -> Elder:
        with self.store.begin() as work:
            elder = work.elders.add(
                name=name, sex=sex, phone=phone, area_id=self.village, dialplan="demo_short"
            )
            for purpose in (ConsentPurpose.PHONE_VISIT, ConsentPurpose.RECORDING):
                work.consents.add(elder.id, purpose, True, self.clock.now() - timedelta(days=9), "paper")
        return elder

    def calls(self, elder: Elder) -> list[Call]:
        with self.store.read() as work:
            return work.calls.of_elder(elder.id)

    def case(self, id: int) -> Case | None:
        with self.store.read() as work:
            return work.cases.get(id)

    def incoming(self) -> list[Incoming]:
        with self.store.read() as work:
            return work.incoming.page()


def until(true: Callable[[], object], what: str, within: float = 40.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture(scope="module")
def village() -> Iterator[Village]:
    rings_back = persona_from(
        {
            "number": RINGS_BACK,
            "name": "王秀兰",
            "sex": "female",
            "voice": "zf_xiaoni",
            "story": "没接到电话，过一会儿打回来",
            "attempts": [
                {"does": "no_answer", "calls_back_s": 0.3},
                {
                    "does": "answer",
                    "replies": [
                        {"nth": 1, "say": "是我", "wait_ms": 200},
                        {"nth": 2, "say": "身体挺好", "wait_ms": 200},
                        {"nth": 3, "say": "没有", "wait_ms": 200},
                        {"nth": 4, "say": "不需要", "wait_ms": 200},
                    ],
                },
            ],
        }
    )
    with Village((rings_back,), port=VILLAGE, rtp_port=VILLAGE_RTP) as village:
        yield village
        assert [each.text for each in village.events() if each.kind is Kind.ERROR] == []


@pytest.fixture(scope="module")
def county(village: Village, tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    folder = tmp_path_factory.mktemp("county")
    store = Store(str(folder / "xunfang.db"), [SECRET])
    store.migrate()
    county = County(store, folder)
    county.fleet.start()
    county.dispatcher.recover()
    yield county
    county.fleet.stop(0)
    store.close()


def test_a_missed_call_is_answered_by_ringing_back_and_its_case_closes(county: County) -> None:
    elder = county.elder(RINGS_BACK, "王秀兰")
    plan_due(county.store, county.clock, county.policy)
    assert county.dispatcher.tick() == 1

    def case() -> Case | None:
        with county.store.read() as work:
            return work.cases.open_for(elder.id)

    until(case, "the missed call has no case")
    opened = case()
    assert opened is not None
    assert opened.kind is CaseKind.MISSED_CALL
    until(lambda: case() is None, "the elder rang back and his case is still open")
    back, missed = county.calls(elder)
    assert (missed.disposition, missed.direction) == (
        CallDisposition.NO_ANSWER,
        CallDirection.OUTBOUND,
    )
    assert (back.disposition, back.direction) == (CallDisposition.COMPLETED, CallDirection.INBOUND)
    assert back.plan_id == missed.plan_id
    closed = county.case(opened.id)
    assert closed is not None
    assert closed.status is CaseStatus.CLOSED
    assert str(back.id) in closed.disposition_note
    with county.store.read() as work:
        assert back.plan_id is not None
        plan = work.plans.get(back.plan_id)
        assert plan is not None
        assert plan.status is PlanStatus.DONE
        said = {each.question: each.answer for each in work.answers.of(back.id)}
        first = next(each for each in work.turns.of(back.id))
    assert said == {"identity": "self", "health": "good", "event": "no", "needs": "no"}
    assert "打过电话，没有打通" in first.text, "he is told why we had called"
    assert back.recording is not None


def test_who_of_a_shared_telephone_is_calling_is_asked(county: County, village: Village) -> None:
    grandmother = county.elder(SHARED, "王桂英")
    grandfather = county.elder(SHARED, "张德福", "M")
    plan_due(county.store, county.clock, county.policy)
    phone = Phone(village, SHARED)
    phone.dials(OURS).hears_prompt().presses("2")
    phone.hears_prompt().says("是的").hears_prompt().hangs_up()
    until(lambda: any(each.ended_at for each in county.calls(grandfather)), "the call was not settled")
    assert county.calls(grandmother) == []
    (call,) = county.calls(grandfather)
    assert call.plan_id is not None
    row = county.incoming()[0]
    assert (row.kind, row.call_id, row.elder_id) == (CallerKind.HOUSEHOLD, call.id, grandfather.id)


def test_a_stranger_hears_a_number_and_his_cry_for_help_rings_the_duty_person(
    county: County, village: Village
) -> None:
    duty = Phone(village, DUTY)
    phone = Phone(village, STRANGER)
    phone.dials(OURS).hears_prompt().says("救命")
    duty.expect_call().answer().presses("1")
    duty.hangs_up()
    phone.expect_hangup()
    until(lambda: county.incoming()[0].ended_at, "the caller is still there")
    row = county.incoming()[0]
    assert (row.kind, row.elder_id, row.call_id) == (CallerKind.STRANGER, None, None)
    assert row.alert is Alert.URGENT
    assert row.phone == STRANGER, "somebody has to ring back"
    with county.store.read() as work:
        told = {
            each.to for each in work.notices.pending(county.clock.now()) if each.kind == "incoming.urgent"
        }
    assert told == {"duty", "webhook"}


def test_who_rings_when_all_lines_are_busy_is_written_down_and_dialled(
    county: County, village: Village
) -> None:
    late = county.elder("13900000806", "李桂芳")
    plan_due(county.store, county.clock, county.policy)
    one, other = (Phone(village, f"1390000081{n}") for n in range(2))
    for each, shown in ((one, True), (other, False)):
        each.dials(OURS, shown=shown)
    seen = len(village.events())
    Phone(village, late.phone)
    village.order(Order(late.phone, "dial", to=OURS))
    refused = village.wait_for(lambda each: each.kind is Kind.HUNG_UP and each.number == late.phone, seen)
    assert refused is not None
    assert refused[1].code == 486
    until(lambda: county.incoming()[0].missed, "nobody knows that he rang")
    row, withheld, shown_row = county.incoming()[:3]
    assert (row.elder_id, row.call_id, row.phone) == (late.id, None, late.phone)
    assert (withheld.kind, withheld.phone, shown_row.phone) == (CallerKind.STRANGER, "", one.number)
    with county.store.read() as work:
        (plan,) = work.plans.of_elder(late.id)
    assert plan.status is PlanStatus.WAITING
    assert plan.next_attempt_at == row.rang_at, "he is dialled as soon as a line is free"
    one.hangs_up()
    other.hangs_up()


def test_a_foreign_carrier_brings_us_a_caller_whom_only_it_vouches_for(
    county: County, village: Village, tmp_path: Path
) -> None:
    """SIPp: the number stands in P-Asserted-Identity as +86, From is anonymous; we end the call."""
    peer = sipp.Sipp(
        "rings_us",
        sipp.rings_us("+8613900000820"),
        SIPP,
        SIPP_RTP,
        tmp_path,
        alaw(audio.silence(8000)),
        f"127.0.0.1:{LINE}",
    )
    try:
        assert peer.verdict(within=20) == 0
    finally:
        peer.stop()
    row = county.incoming()[0]
    assert (row.kind, row.phone, row.alert) == (CallerKind.STRANGER, "+8613900000820", Alert.NONE)
