"""Did it happen? Polarity (肯定、否定、不确定、反问) of an event, read from the words around it.

The order of the questions matters: media and warnings before fear, fear before negation, double
negation before negation (不是没摔 affirms), near misses before affirmation.
"""

from __future__ import annotations

import re

from ivr.understanding.cues import Cues
from ivr.understanding.harmless import compared, explained, spoken_in_anger
from ivr.understanding.model import Event, Polarity
from ivr.understanding.slot_model import Found, Judged, Place
from ivr.understanding.supposed import IMAGINABLE, SEEN, asks_how_to_flee, supposed
from ivr.understanding.text import LIST_MARK

# 不疼了, 不漏了 say that it was so and is over.
_EASES = frozenset(
    {
        Event.CHEST_PAIN,
        Event.BREATHLESS,
        Event.BLEEDING,
        Event.SEVERE_PAIN,
        Event.GAS_LEAK,
        Event.STROKE_SIGNS,
    }
)
_ECHO = re.compile(
    r"(摔|疼|痛|晕|漏|着|喘|流|闷|麻|吃|骗|打|吐|丢|闻|有|是|起|冒|歪|昏|跌|绊|想|走丢|摔倒|晕倒|着火|漏气|上当|想死|"
    r"气喘|胸闷|头晕|流血|中毒)"
    r"(没|不|冇)(有)?\1"
)
_ECHO_DENIED = re.compile(r"[啊呀呢嘛]?(没|不|冇)|[^，？]{0,6}[，？][^，？]{0,3}?(没|不|冇|哪有|哪能|无)")
_ECHO_AFFIRMED = re.compile(
    r"[啊呀呢嘛了着过]*[，？]?(摔|疼|痛|晕|漏|着|喘|流|有|是|闷|麻|骗|丢)(了|过|得|的|啊|着|呢)"
)
_ECHO_UNSURE = re.compile(r"[^，？]{0,8}(不出|不知道|不准|不清|记不|说不|谁知道|不好说|不晓得)")
_NOT_KNOWN = re.compile(r"(不知道|不晓得|搞不清|说不准|不清楚|不敢说)$")
_GAP_NEGATED = re.compile(
    r"(没有?|(?<!得)不|冇|哪能|咋能|怎么会|从来没|没得)(再|有|过|怎么|太|咋|大|会|曾|啥|什么|想|是|那么|多)?$"
)
_GAP_NEAR = re.compile(r"差点|差一点|险些|好悬|几乎")
_GAP_FEAR = re.compile(r"怕|要是|万一|担心")
_DENIES_AFTER = re.compile(
    r"[疼痛]?？[^，？]{0,5}(没|不|瞎说|胡说|哪|冇|别瞎|扯|乱讲|瞎讲|净瞎|谁敢|谁(打|骗|说)|舍不得|想得开|好着|好得很|挺好|门儿都|还能|我?还(等着|想|要|得)[^，？]{0,3}(抱|活|看)|闭着眼|粮食|[^，？]{0,6}住了[^，？]{1,5}年)"
)
# The word of the question said back, with a question of one's own: 漏气？哪里漏气; but not 喘？哪儿都疼.
_ASKED_BACK = re.compile(
    r"[了啦啊呀]?？(?![^，？]{0,3}(哪|谁|啥|什么)[^，？]{0,3}(都|也))"
    r"([^，？]{0,3}(谁|哪|啥|什么)|你(说|问)|你闻)"
)
_WHAT = re.compile(r"[了着]?是?(啥|什么)[^，？]{0,3}？")
_WHO_SAYS = re.compile(r"(谁|哪个|哪一个)(说|讲|告诉你)(的)?(我|俺)?[^，？]{0,2}$")
_ME_OF_ALL = re.compile(r"我(还)?能$")
_WHY_DIE = re.compile(r"想(啥|什么)死")
_ASKS_WHERE = re.compile(r"(哪里|哪儿|谁家?|哪个)$")
_SELF_DONE = re.compile(r"(吗|没有|没|不)？$")
_THIS_HOUR = re.compile(r"今天|今晚|今夜|今儿|这就|现在|马上")
_TOLD_AS_DONE = re.compile(r"了?[，？]")  # 着火了，咋办: a pause after the fact makes it a fact
# One word of danger and nothing beside it but hesitation.
_BARE_WORD = re.compile(
    r"摔了?|着火|起火|火|起不来|晕倒?了?|晕倒，晕倒了|流血|血|喘|煤气味?|漏气|死了?算了|死|胸口|心口|摔，摔了|骗子|摔，摔|死，死了算了"
)
_BARE_BEFORE = re.compile(
    r"(嗯|啊|哎|唉|哎呀|哎哟|哎呦|呃|那个|那|我|，|？|摔|火|死|喘|血|晕倒?|流血|起|心|着|骗字|有个)*"
)
_BARE_AFTER = re.compile(
    r"(嗯|啊|哎|唉|哎呀|哎哟|呃|那个|，|？|摔了?|火|喘|血|流血|晕倒了?|着火|起不来|死了?算了)*"
)


def polarity_of(
    cues: Cues, here: Place, previous: Judged | None, media: bool, warning: bool
) -> tuple[Polarity, bool, str]:
    """Polarity, near miss, and what makes it imagined ("" when it is not)."""
    text, found, before, after, gap = here.text, here.found, here.before, here.after, here.found.gap
    if warning:
        return Polarity.UNCERTAIN, False, "warning"
    echo = _ECHO.search(text[: found.end + 5], max(0, found.start - 4))
    if echo and (echo.start() >= found.end or (echo.start() and text[echo.start() - 1] in "没不冇")):
        echo = None
    if echo:
        said = text[echo.end() :]
        if _ECHO_UNSURE.match(said) or _NOT_KNOWN.search(text[: echo.start()]):
            return Polarity.UNCERTAIN, False, ""
        if _ECHO_AFFIRMED.match(said):
            return Polarity.AFFIRMED, False, ""
        return (Polarity.NEGATED if _ECHO_DENIED.match(said) else Polarity.ASKED), False, ""
    if (
        _BARE_WORD.fullmatch(text[found.start : found.end])
        and _BARE_BEFORE.fullmatch(text[: found.start])
        and _BARE_AFTER.fullmatch(after)
    ):
        return Polarity.UNCERTAIN, False, "bare"
    if (here.start == found.start and _ASKED_BACK.match(after)) or _WHAT.match(after):
        return Polarity.ASKED, False, ""
    if previous is not None and previous[1].polarity is Polarity.ASKED and _ASKS_WHERE.search(before):
        return Polarity.ASKED, False, ""
    if _DENIES_AFTER.match(after):  # the elder repeats the question and denies it
        return Polarity.NEGATED, False, ""
    if cues.near.search(before) or _GAP_NEAR.search(gap):
        return Polarity.NEGATED, True, ""
    if cues.double.search(before) or (gap and cues.double.search(gap)):
        return Polarity.AFFIRMED, False, ""
    if cues.rhetorical.search(before) or _denied_by_question(text, found, before, after):
        return Polarity.NEGATED, False, ""
    if explained(here):
        return Polarity.NEGATED, False, ""
    likened = compared(here)
    if likened:
        return Polarity.UNCERTAIN, False, likened
    if found.polarity == Polarity.NEGATED:
        return Polarity.NEGATED, False, ""
    negated = bool(cues.negated.search(before) or cues.not_so.search(before) or _GAP_NEGATED.search(gap))
    if not negated and (cues.fear.search(before) or _GAP_FEAR.search(gap)):
        return Polarity.UNCERTAIN, False, "fear"
    if not media:
        conditional = cues.imagines(here.far_before) and not (
            found.event is Event.SUICIDAL and _THIS_HOUR.search(text[here.start : found.end])
        )
        what_then = (
            not conditional
            and found.event in IMAGINABLE
            and cues.hypothetical_after.match(after) is not None
            and not SEEN.search(text[here.start : found.end])
            and not _TOLD_AS_DONE.match(after)
            and not cues.onset.search(before)
            and not cues.now.search(before)
            and not cues.people_elsewhere.search(before)
        )
        flees = not conditional and asks_how_to_flee(cues, here)
        would = not conditional and supposed(cues, here)
        if conditional or what_then or flees or would:
            if negated:
                return Polarity.NEGATED, False, ""
            return Polarity.UNCERTAIN, False, "if" if conditional else "after"
    if negated and found.event in _EASES and after.startswith("了") and (before + gap).endswith("不"):
        return Polarity.AFFIRMED, False, "eased"
    if negated or cues.negated_after.match(after):
        return Polarity.NEGATED, False, ""
    if previous is not None and previous[1].polarity is Polarity.NEGATED:
        between = text[previous[0].end : found.start]
        if between == "" or (len(between) <= 2 and set(between) <= set(LIST_MARK + "和跟与或啊")):
            return Polarity.NEGATED, False, ""
    if found.polarity:
        return Polarity(found.polarity), False, ""
    if cues.asked.search(before) or (_SELF_DONE.match(after) and after.startswith(("吗", "没"))):
        return Polarity.ASKED, False, ""
    if cues.uncertain.search(before) or spoken_in_anger(here):
        return Polarity.UNCERTAIN, False, ""
    if before.endswith("能") and text.startswith("不能", found.start):  # 不知道能不能起来
        return Polarity.UNCERTAIN, False, ""
    return Polarity.AFFIRMED, False, ""


def _denied_by_question(text: str, found: Found, before: str, after: str) -> bool:
    """哪个说我起不来？ 我能想不开？ 想啥死啊: questions that deny."""
    return (
        _WHO_SAYS.search(before) is not None
        or (_ME_OF_ALL.search(before) is not None and after.startswith("？"))
        or _WHY_DIE.search(text[found.start : found.end]) is not None
    )
