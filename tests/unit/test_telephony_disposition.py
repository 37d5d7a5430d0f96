"""Every row of the disposition table, by an example of what a call looks like when it applies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.telephony.disposition import TABLE, classify, row_for
from ivr.telephony.model import Evidence
from xunfang.vocabulary import CallDisposition as D

pytestmark = pytest.mark.unit


def answered(because: str | None, **more: object) -> Evidence:
    base: dict[str, object] = {
        "answered": True,
        "rang": True,
        "sip_code": 200,
        "rtp_packets": 500,
        "because": because,
    }
    return Evidence(**{**base, **more})  # type: ignore[arg-type]


EXAMPLES: list[tuple[str, Evidence, D]] = [
    ("carrier's voice behind 200 OK", answered("announcement", announced="suspended"), D.SUSPENDED),
    ("carrier's voice behind 200 OK", answered("machine", announced="voicemail"), D.VOICEMAIL),
    ("carrier's voice, but not which", answered("announcement"), D.UNREACHABLE),
    ("voicemail or assistant", answered("machine", speech_heard=True), D.VOICEMAIL),
    ("dialogue ran to its end", answered("finished", speech_heard=True), D.COMPLETED),
    ("dialogue ran to its end", answered("urgent", speech_heard=True, hung_up_by="them"), D.COMPLETED),
    ("dialogue ran to its end", answered("opt_out", speech_heard=True), D.COMPLETED),
    ("dialogue ran to its end", answered("refused", speech_heard=True), D.COMPLETED),
    ("somebody else", answered("other_person", speech_heard=True), D.OTHER_PERSON),
    ("somebody else", answered("wrong_number", speech_heard=True), D.OTHER_PERSON),
    ("asked to call later", answered("asked_later", speech_heard=True), D.ASKED_LATER),
    ("nobody spoke", answered("silent"), D.ANSWERED_SILENT),
    ("spoke, not understood", answered("unheard", speech_heard=True), D.HUNG_UP_EARLY),
    (
        "they hung up before the end",
        answered("hung_up", hung_up_by="them", speech_heard=True),
        D.HUNG_UP_EARLY,
    ),
    ("never any RTP", answered("media_lost", rtp_packets=0, our_reason="rtp_lost"), D.TRUNK_FAILURE),
    ("RTP stopped, nobody had spoken", answered("media_lost", our_reason="rtp_lost"), D.ANSWERED_SILENT),
    ("RTP stopped mid-call", answered("media_lost", our_reason="rtp_lost", speech_heard=True), D.INTERRUPTED),
    ("too long, nobody spoke", answered("too_long", our_reason="too_long"), D.ANSWERED_SILENT),
    ("too long", answered("too_long", our_reason="too_long", speech_heard=True), D.HUNG_UP_EARLY),
    ("our fault, or no conclusion", answered("our_fault", speech_heard=True), D.INTERRUPTED),
    ("our fault, or no conclusion", answered(None), D.INTERRUPTED),
    ("line drained or call taken back", Evidence(rang=True, sip_code=487, our_reason="drain"), D.INTERRUPTED),
    (
        "carrier's voice before any answer",
        Evidence(rang=True, sip_code=480, q850=20, announced="suspended"),
        D.SUSPENDED,
    ),
    ("trunk silent", Evidence(sip_code=487, our_reason="trunk_no_reply"), D.TRUNK_FAILURE),
    ("rang, nobody came", Evidence(rang=True, sip_code=487, our_reason="no_answer"), D.NO_ANSWER),
    ("never even rang", Evidence(sip_code=487, our_reason="no_answer"), D.UNREACHABLE),
    ("Q.850 no such number", Evidence(sip_code=404, q850=1), D.INVALID_NUMBER),
    ("Q.850 17 user busy", Evidence(sip_code=480, q850=17), D.BUSY),
    ("Q.850 19 no answer from user", Evidence(rang=True, sip_code=480, q850=19), D.NO_ANSWER),
    ("Q.850 20 subscriber absent", Evidence(sip_code=480, q850=20), D.POWERED_OFF),
    ("Q.850 21 call rejected", Evidence(rang=True, sip_code=403, q850=21), D.REJECTED),
    ("Q.850 callee out of reach", Evidence(sip_code=480, q850=27), D.UNREACHABLE),
    ("Q.850 fault of the network", Evidence(sip_code=503, q850=42), D.TRUNK_FAILURE),
    ("Q.850 fault of the network", Evidence(sip_code=480, q850=34), D.TRUNK_FAILURE),
    ("486/600 busy", Evidence(sip_code=486, q850=16), D.BUSY),
    ("603/607/608 declined", Evidence(rang=True, sip_code=603), D.REJECTED),
    ("no such number", Evidence(sip_code=404), D.INVALID_NUMBER),
    ("480/408/487 after ringing", Evidence(rang=True, sip_code=480), D.NO_ANSWER),
    ("480/408/487 without ringing", Evidence(sip_code=480), D.UNREACHABLE),
    ("our credentials or right to call", Evidence(sip_code=407, hung_up_by="them"), D.TRUNK_FAILURE),
    ("trunk and we do not agree", Evidence(sip_code=488), D.TRUNK_FAILURE),
    ("trunk fails", Evidence(sip_code=503, hung_up_by="trunk"), D.TRUNK_FAILURE),
    ("redirected or otherwise refused", Evidence(sip_code=302), D.UNREACHABLE),
    ("no reply known", Evidence(), D.TRUNK_FAILURE),
]


@pytest.mark.parametrize(("row", "seen", "expected"), EXAMPLES)
def test_each_row_decides_its_example(row: str, seen: Evidence, expected: D) -> None:
    assert row_for(seen).name == row
    assert classify(seen) is expected


def test_every_row_of_the_table_has_an_example() -> None:
    assert {row.name for row in TABLE} == {name for name, _, _ in EXAMPLES}


def test_a_dead_trunk_is_never_a_missed_call() -> None:
    missed = {D.NO_ANSWER, D.BUSY, D.REJECTED, D.POWERED_OFF, D.UNREACHABLE}
    for code in range(500, 600):
        for rang in (False, True):
            assert classify(Evidence(sip_code=code, rang=rang)) not in missed


@given(
    st.builds(
        Evidence,
        answered=st.booleans(),
        rang=st.booleans(),
        sip_code=st.none() | st.integers(100, 699),
        q850=st.none() | st.integers(0, 127),
        our_reason=st.sampled_from(
            ["", "no_answer", "trunk_no_reply", "drain", "rtp_lost", "too_long", "dialogue"]
        ),
        announced=st.none() | st.sampled_from(["powered_off", "suspended", "invalid_number", "voicemail"]),
        because=st.none()
        | st.sampled_from(["finished", "machine", "announcement", "hung_up", "silent", "media_lost"]),
        speech_heard=st.booleans(),
        rtp_packets=st.integers(0, 9),
    )
)
def test_whatever_was_seen_there_is_one_disposition_and_only_answered_calls_count(seen: Evidence) -> None:
    disposition = classify(seen)
    if disposition in {D.COMPLETED, D.OTHER_PERSON, D.ASKED_LATER, D.HUNG_UP_EARLY, D.ANSWERED_SILENT}:
        assert seen.answered
    assert disposition is not D.NOT_DIALLED
