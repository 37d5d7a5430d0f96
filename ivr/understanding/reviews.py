"""What a human should look at today although no event was judged: complaints, requests, concerns (待复核)."""

from __future__ import annotations

import re

from ivr.understanding.answers_words import answer_hits
from ivr.understanding.lexicon import Lexicon
from ivr.understanding.model import Polarity, Question, Subject
from ivr.understanding.slot_model import Judged

_WORRYING = frozenset({"worse", "unsafe", "partly", "short", "neglected"})
_ASKS_FOR_HUMANS = frozenset({(Question.NEEDS, "yes"), (Question.CALLBACK, "yes")})
_CHRONIC = re.compile(
    r"(高血压|血压|糖尿病|血糖|关节炎|老毛病|老寒腿|风湿|冠心病|气管炎|白内障|老慢支|颈椎|腰椎|腰间盘|骨质|前列腺|痛风|胃病|心脏病|三高|血脂|慢性|老病)"
)
_UNSTABLE = re.compile(
    r"(加重|犯了|又犯|住院|疼得|厉害|没药|刚查|查出|更|不稳|高得|下不来|新|手术|断了|难受|烧|控制不)"
)


def concerns(text: str, words: Lexicon) -> list[str]:
    entries, patterns = words.patterns("concern")
    return [
        entries[h.owner].get("topic") for h in patterns.find(text) if not _NOT_MEANT.search(text[: h.start])
    ]


_NOT_MEANT = re.compile(
    r"(不用|不要|不需要|没|别|不|要是|万一|如果|怕|电视里?[^，？]{0,6}|听说[^，？]{0,6})$"
)


def review_reason(text: str, question: Question, final: str, topics: list[str], words: Lexicon) -> str:
    if final in ("opt_out", "ask_human"):
        return f"control: {final}"
    if final in _WORRYING:
        return f"answer: {final}"
    if (question, final) in _ASKS_FOR_HUMANS:
        return f"request: {final}"
    if question is Question.EVENT and final == "yes":
        return "answer: something happened"
    if (
        question is Question.ILLNESS
        and final == "yes"
        and not (_CHRONIC.search(text) and not _UNSTABLE.search(text))
    ):
        return "answer: ill"
    if question is Question.ANY and final == "other" and _unasked_complaint(text, words):
        return "complaint outside a question"
    if topics and final not in ("silence_noise",):
        return f"concern: {topics[0]}"
    return ""


def _unasked_complaint(text: str, words: Lexicon) -> bool:
    """Said at the opening or the end of a call, without being asked: trouble of body or house."""
    for question, bad in ((Question.HEALTH, "worse"), (Question.WATER_HEATING, "unsafe")):
        for klass, hit in answer_hits(text, question, [], [], words):
            if klass == bad and _MY_BODY_OR_HOUSE.search(text[: hit.end]):
                return True
    return False


_MY_BODY_OR_HOUSE = re.compile(
    r"(我家|家里|屋里|我)[^，？]{0,5}[，]?[^，？]{0,5}$|(头|腰|腿|心里|身上|胃|胸|肚子|水管|暖气|下水|房子)"
)
_BUT = re.compile(r"(就是?|不过|但是?|可是?|只是|倒是|可就是)[^，？]{0,6}$")


def beside_denial(text: str, judged: list[Judged], words: Lexicon) -> str:
    """A danger cleanly denied, but something worrying after the 就是 (没摔，就是头晕)."""
    if not any(s.polarity is Polarity.NEGATED and s.subject is not Subject.OTHER for _, s in judged):
        return ""
    for klass, hit in answer_hits(text, Question.HEALTH, judged, [], words):
        if klass == "worse" and _BUT.search(text[: hit.start]):
            return "something worrying beside a denial"
    return ""
