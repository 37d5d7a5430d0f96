"""Did it happen? Polarity (肯定、否定、不确定、反问) of an event, read from the words around it.

The order of the questions matters: media and warnings before fear, fear before negation, double
negation before negation (不是没摔 affirms), near misses before affirmation.
"""

from __future__ import annotations

import re

from ivr.understanding.cues import Cues
from ivr.understanding.model import Event, Polarity, Question
from ivr.understanding.slot_model import Judged, Place
from ivr.understanding.text import LIST_MARK

# Events that elders imagine aloud (摔了咋办): 叫不醒咋办 is never imagined.
_IMAGINABLE = frozenset(
    {Event.FALL, Event.FIRE, Event.GAS_LEAK, Event.CANNOT_GET_UP, Event.LOST, Event.STROKE_SIGNS, Event.FRAUD}
)
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
    r"(摔|疼|痛|晕|漏|着|喘|流|闷|麻|吃|骗|打|吐|丢|闻|有|是|起|冒|歪|昏|跌|绊|走丢|摔倒|晕倒|着火|漏气|上当|想死)"
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
    r"？[^，？]{0,5}(没|不|瞎说|胡说|哪|冇|别瞎|扯|乱讲|瞎讲|净瞎|谁敢|谁(打|骗|说)|舍不得|想得开|好着|好得很|挺好|门儿都|还能)"
)
_SELF_DONE = re.compile(r"(吗|没有|没|不)？$")
_THIS_HOUR = re.compile(r"今天|今晚|今夜|今儿|这就|现在|马上")
_SEEN = re.compile(r"闻(到|着|见)|看见|看到|听见|已经|真的?(?=[^，？]{0,2}$)")
# Where it burns, and what it looks like.
_BURNS = re.compile(
    r"厨房|灶|屋里|家里|我家|楼|隔壁|对门|邻居|院|门口|阳台|床|被子|锅|烟|火苗|烧|热|烫|呛|快|救|跑不|出不去|老大|大得"
)
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
    if _DENIES_AFTER.match(after):  # the elder repeats the question and denies it
        return Polarity.NEGATED, False, ""
    if cues.near.search(before) or _GAP_NEAR.search(gap):
        return Polarity.NEGATED, True, ""
    if cues.double.search(before) or (gap and cues.double.search(gap)):
        return Polarity.AFFIRMED, False, ""
    if cues.rhetorical.search(before):
        return Polarity.NEGATED, False, ""
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
            and found.event in _IMAGINABLE
            and cues.hypothetical_after.match(after) is not None
            and not _SEEN.search(text[here.start : found.end])
            and not _TOLD_AS_DONE.match(after)
            and not cues.onset.search(before)
            and not cues.now.search(before)
            and not cues.people_elsewhere.search(before)
        )
        flees = not conditional and _asks_how_to_flee(cues, here)
        if conditional or what_then or flees:
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
    if cues.uncertain.search(before):
        return Polarity.UNCERTAIN, False, ""
    return Polarity.AFFIRMED, False, ""


def _asks_how_to_flee(cues: Cues, here: Place) -> bool:
    """着火了咋跑: asked about fire, and nothing said of where it burns or of what is seen."""
    text, found = here.text, here.found
    told = text[found.start : found.end]
    paused = here.after.removeprefix("了").startswith(("，", "？"))
    return (
        found.event is Event.FIRE
        and cues.flee.match(here.after) is not None
        and (not paused or here.question is Question.FIRE)
        and not here.plea
        and not _SEEN.search(told)
        and not _BURNS.search(text)
        and not cues.now.search(text)
        and not cues.onset.search(text)
    )
