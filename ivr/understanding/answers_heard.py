"""What the resolvers of the questions look at, and the expressions that several of them share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ivr.understanding.durations import lasts_years
from ivr.understanding.model import Event, Polarity, Question, Time
from ivr.understanding.slot_model import Judged

OVER = re.compile(
    r"((?<!就)好了|好多了|好些了|好利索|不喘了|(?<!不)能走了|能下地了|能动了|能起来了|(?<!天气)刚好$|刚好，|看得清了|拆线|不疼了|换新|不痛了|没事了|不晕了|不咳了|退烧|缓过来|过去了|恢复|康复|出院了|修好|换了|换好|弄好|修过|浇灭|扑灭|处理|解决|来修|查了没|好利索)"
)
OLD = re.compile(
    r"(老毛病|老病|老样子|老寒腿|跟以前一样|和以前一样|没变化|还那样|还是那样|就那样|多少年|好几年|好些年|多年|些年了|后遗症|几十年|年年|每年|一到(冬|阴|下雨|变天|换季|天冷|秋|春|夏|刮风)[^，？]{0,4}就|差不多)"
)
MORE = re.compile(r"(加重|更|越来越|厉害了|严重|又犯|不如|重了)")
BUT = re.compile(r"(就是|不过|但是?|可是?|只是)[^，？]{0,8}$")
_CONTRAST = re.compile(r"，(就是|可就|不过|但是?|可是?|只是)(?!说)")


@dataclass(frozen=True, slots=True)
class Heard:
    """What the resolvers look at."""

    text: str
    question: Question
    last: dict[str, int]  # class -> start of its last hit
    first: dict[str, int]
    judged: list[Judged]
    urgent: bool
    concern: bool
    relative: bool
    named: bool  # a need was named (送饭, 轮椅) and not declined

    def has(self, *classes: str) -> bool:
        return any(c in self.last for c in classes)

    def affirmed(self, *events: Event) -> list[Judged]:
        """Events that are true of the elder or near, now or lately."""
        return [
            (f, s)
            for f, s in self.judged
            if s.polarity is Polarity.AFFIRMED
            and not s.media
            and s.time is not Time.PAST
            and (not events or f.event in events)
        ]

    def negated(self, *events: Event) -> bool:
        return any(
            s.polarity is Polarity.NEGATED and (not events or f.event in events) for f, s in self.judged
        )


def is_old(text: str) -> bool:
    """An old, known trouble, by a word (老毛病) or by the years it lasts (十来年了)."""
    return OLD.search(text) is not None or lasts_years(text)


def contrasted(text: str) -> int:
    """Where a 就是 / 不过 opens the part that takes back some of what was said; -1 without one."""
    match = _CONTRAST.search(text)
    return match.end() if match else -1
