"""What a run brought: the JSON of `xunfang demo --json`, read back from the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sip_test_harness.model import DemoElder, Kind, VillageEvent
from storage import Store
from storage.model import Call, Elder
from visits import service
from xunfang.vocabulary import PlanStatus

STILL_GOING = frozenset({PlanStatus.DUE, PlanStatus.DIALLING, PlanStatus.WAITING})
MOST_CASES = 1000


def unfinished(store: Store, elders: Iterable[int], period: str) -> set[int]:
    """Elders whose visit of this period has no end yet."""
    with store.read() as work:
        plans = {id: work.plans.of_period(id, period) for id in elders}
    return {id for id, plan in plans.items() if plan is None or plan.status in STILL_GOING}


def collect(
    store: Store,
    elders: Mapping[int, DemoElder],
    events: Sequence[VillageEvent],
    began: datetime,
    ended: datetime,
) -> dict[str, Any]:
    """{"elders", "seconds", "calls", "cases", "answers", "said"}.

    Numbers and names are invented and therefore shown. `said`: what each softphone really spoke.
    `seconds_after_words` of a case: from the last spoken word before it was opened.
    """
    with store.read() as work:
        calls: list[Call] = [call for id in elders for call in work.calls.of_elder(id)]
        calls.sort(key=lambda call: call.id)
        facts: dict[int, Elder] = {id: elder for id in elders if (elder := work.elders.get(id))}
        answers = [
            {
                "call": call.id,
                "elder": facts[call.elder_id].name,
                "persona": elders[call.elder_id].persona.id,
                "question": answer.question,
                "topic": answer.topic,
                "answer": answer.answer,
                "details": list(answer.details),
                "text": answer.text,
                "confidence": answer.confidence,
                "source": answer.source.value,
            }
            for call in calls
            for answer in work.answers.of(call.id)
        ]
        turns = {call.id: work.turns.of(call.id) for call in calls}
    cases = [service.show(store, line["id"], ended) for line in service.queue(store, MOST_CASES, ended)]
    case_of = {case["elder_id"]: case["id"] for case in cases}
    return {
        "elders": len(elders),
        "seconds": round((ended - began).total_seconds(), 1),
        "calls": [
            {
                "id": call.id,
                "elder": facts[call.elder_id].name,
                "number": facts[call.elder_id].phone,
                "persona": elders[call.elder_id].persona.id,
                "attempt": call.attempt,
                "disposition": call.disposition.value if call.disposition else None,
                "because": call.because,
                "seconds": _seconds(call),
                "risk": call.risk.value if call.risk else None,
                "alert": call.alert.value,
                "case": case_of.get(call.elder_id),
                "recording": call.recording,
                "heard": [
                    {
                        "question": turn.question,
                        "text": turn.text,
                        "confidence": turn.confidence,
                        "answer": turn.judgement.get("answer"),
                        "alert": turn.alert.value,
                        "start_s": turn.start_s,
                        "end_s": turn.end_s,
                    }
                    for turn in turns[call.id]
                    if turn.speaker.value != "system"
                ],
            }
            for call in calls
        ],
        "cases": [
            case | {"seconds_after_words": _after_words(case, elders[case["elder_id"]], events)}
            for case in cases
        ],
        "answers": answers,
        "said": {
            member.persona.id: [event.text for event in events if _spoke(event, member)]
            for member in elders.values()
        },
    }


def _spoke(event: VillageEvent, member: DemoElder) -> bool:
    return event.kind is Kind.SAID and event.number == member.persona.number


def _after_words(case: Mapping[str, Any], member: DemoElder, events: Sequence[VillageEvent]) -> float | None:
    opened = datetime.fromisoformat(case["opened_at"])
    spoken = [event.at for event in events if _spoke(event, member) and event.at <= opened]
    return round((opened - max(spoken)).total_seconds(), 2) if spoken else None


def _seconds(call: Call) -> float:
    if call.answered_at is None or call.ended_at is None:
        return 0.0
    return round((call.ended_at - call.answered_at).total_seconds(), 1)
