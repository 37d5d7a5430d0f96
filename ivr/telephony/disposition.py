"""Why a call ended (接通结果): one table, the first row that fits decides. Pure.

Sources of the rows:

- SIP status codes: RFC 3261 section 21; 480/486/600/603 as refined by RFC 8197 (607, 608).
- Q.850 causes carried in SIP: RFC 3326 (Reason header); their meaning: ITU-T Q.850 table 1,
  their relation to SIP codes: RFC 3398 section 7.2.6.
- What a carrier's voice says (已关机, 已停机, 空号 ...) comes before any code: Chinese
  carriers play it as early media or behind 200 OK, and the code that follows is often only 480.

The order carries the meaning: what we did ourselves first (a code that follows our own
CANCEL says nothing), then what a voice said, then for answered calls what the dialogue
concluded, then the cause, then the code. A fault of the trunk is never read as something
the callee did: everything of that kind is trunk_failure, and nothing defaults to no_answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from ivr.telephony.model import Evidence
from xunfang.vocabulary import CallDisposition as D


@dataclass(frozen=True, slots=True)
class Row:
    """Conditions that are None do not matter. `then` None: what the announcement names."""

    name: str
    then: D | None
    answered: bool | None = None
    rang: bool | None = None
    announced: bool | None = None
    our_reason: frozenset[str] | None = None
    because: frozenset[str] | None = None
    causes: frozenset[int] | None = None
    codes: frozenset[int] | None = None
    heard: bool | None = None
    rtp: bool | None = None

    def fits(self, seen: Evidence) -> bool:
        return (
            (self.answered is None or self.answered == seen.answered)
            and (self.rang is None or self.rang == seen.rang)
            and (self.announced is None or self.announced == bool(seen.announced))
            and (self.our_reason is None or seen.our_reason in self.our_reason)
            and (self.because is None or (seen.because or "") in self.because)
            and (self.causes is None or seen.q850 in self.causes)
            and (self.codes is None or seen.sip_code in self.codes)
            and (self.heard is None or self.heard == seen.speech_heard)
            and (self.rtp is None or self.rtp == (seen.rtp_packets > 0))
        )


def _set(*values: str) -> frozenset[str]:
    return frozenset(values)


def _codes(*values: int) -> frozenset[int]:
    return frozenset(values)


# An answered call: the dialogue knows best.
_ANSWERED = (
    Row(
        "carrier's voice behind 200 OK",
        None,
        answered=True,
        announced=True,
        because=_set("announcement", "machine"),
    ),
    Row("carrier's voice, but not which", D.UNREACHABLE, answered=True, because=_set("announcement")),
    Row("voicemail or assistant", D.VOICEMAIL, answered=True, because=_set("machine")),
    # refused, opted out, urgent: the visit did what it could; the case is made from `because`.
    Row(
        "dialogue ran to its end",
        D.COMPLETED,
        answered=True,
        because=_set("finished", "opt_out", "urgent", "refused"),
    ),
    Row("somebody else", D.OTHER_PERSON, answered=True, because=_set("other_person", "wrong_number")),
    Row("asked to call later", D.ASKED_LATER, answered=True, because=_set("asked_later")),
    Row("nobody spoke", D.ANSWERED_SILENT, answered=True, because=_set("silent")),
    # A person was there and the visit did not come about: neither a visit (completed) nor silence.
    # Retried like a call that was cut off; the unclear case is made from `because`.
    Row("spoke, not understood", D.HUNG_UP_EARLY, answered=True, because=_set("unheard")),
    Row("they hung up before the end", D.HUNG_UP_EARLY, answered=True, because=_set("hung_up")),
    # 200 OK and not one RTP packet: the way of the voice is broken, which no callee can do.
    Row("never any RTP", D.TRUNK_FAILURE, answered=True, because=_set("media_lost"), heard=False, rtp=False),
    Row(
        "RTP stopped, nobody had spoken",
        D.ANSWERED_SILENT,
        answered=True,
        because=_set("media_lost"),
        heard=False,
    ),
    Row("RTP stopped mid-call", D.INTERRUPTED, answered=True, because=_set("media_lost")),
    Row("too long, nobody spoke", D.ANSWERED_SILENT, answered=True, because=_set("too_long"), heard=False),
    Row("too long", D.HUNG_UP_EARLY, answered=True, because=_set("too_long")),
    Row("our fault, or no conclusion", D.INTERRUPTED, answered=True),
)

# Not answered: what we did ourselves.
_OURS = (
    Row("line drained or call taken back", D.INTERRUPTED, our_reason=_set("drain", "cancelled", "our_fault")),
    Row("carrier's voice before any answer", None, announced=True),
    Row("trunk silent", D.TRUNK_FAILURE, our_reason=_set("trunk_no_reply", "trunk_unreachable")),
    Row("rang, nobody came", D.NO_ANSWER, our_reason=_set("no_answer"), rang=True),
    Row("never even rang", D.UNREACHABLE, our_reason=_set("no_answer"), rang=False),
)

# Not answered: the cause from the telephone network is more exact than the SIP code around it.
_CAUSES = (
    # 1 unallocated, 22 number changed, 28 invalid format
    Row("Q.850 no such number", D.INVALID_NUMBER, causes=_codes(1, 22, 28)),
    Row("Q.850 17 user busy", D.BUSY, causes=_codes(17)),
    Row("Q.850 19 no answer from user", D.NO_ANSWER, causes=_codes(19)),
    # "a mobile station has logged off, radio contact is not obtained": logging off is switching off
    Row("Q.850 20 subscriber absent", D.POWERED_OFF, causes=_codes(20)),
    Row("Q.850 21 call rejected", D.REJECTED, causes=_codes(21)),
    # 2, 3 no route; 18 no user responding (never alerted); 27 destination out of order; 88 incompatible
    Row("Q.850 callee out of reach", D.UNREACHABLE, causes=_codes(2, 3, 18, 27, 88)),
    # 6-7 channel, 25-26 routing, 29 facility, 34-47 no resource, 49-63 not available or allowed,
    # 65-79 not implemented, 81-87 and 91-111 invalid message or protocol error
    Row(
        "Q.850 fault of the network",
        D.TRUNK_FAILURE,
        causes=frozenset({6, 7, 25, 26, 29, *range(34, 80), *range(81, 88), *range(91, 112)}),
    ),
)

# Not answered: the SIP code alone.
_CODES = (
    Row("486/600 busy", D.BUSY, codes=_codes(486, 600)),
    Row("603/607/608 declined", D.REJECTED, codes=_codes(603, 607, 608)),
    Row("no such number", D.INVALID_NUMBER, codes=_codes(404, 410, 484, 604)),
    Row("480/408/487 after ringing", D.NO_ANSWER, codes=_codes(408, 480, 487), rang=True),
    Row("480/408/487 without ringing", D.UNREACHABLE, codes=_codes(408, 480, 487), rang=False),
    Row("our credentials or right to call", D.TRUNK_FAILURE, codes=_codes(401, 402, 403, 407)),
    Row(
        "trunk and we do not agree",
        D.TRUNK_FAILURE,
        codes=frozenset({400, *range(405, 408), *range(411, 440), 488, 493, 494, 606}),
    ),
    Row("trunk fails", D.TRUNK_FAILURE, codes=frozenset(range(500, 600))),
    Row(
        "redirected or otherwise refused",
        D.UNREACHABLE,
        codes=frozenset({*range(300, 400), *range(440, 500), *range(605, 700)}),
    ),
    Row("no reply known", D.TRUNK_FAILURE),
)

TABLE: tuple[Row, ...] = (*_ANSWERED, *_OURS, *_CAUSES, *_CODES)


def row_for(seen: Evidence) -> Row:
    """The row that decides; there is always one."""
    return next(row for row in TABLE if row.fits(seen))


def classify(seen: Evidence) -> D:
    row = row_for(seen)
    return row.then if row.then is not None else D(seen.announced or "")
