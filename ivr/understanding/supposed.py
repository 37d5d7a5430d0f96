"""Imagined aloud: what would be done, and where one would flee, if it burned (假设的说法). Pure."""

from __future__ import annotations

import re

from ivr.understanding.cues import Cues
from ivr.understanding.model import Event, Question
from ivr.understanding.slot_model import Place

# Events that elders imagine aloud (摔了咋办): 叫不醒咋办 is never imagined.
IMAGINABLE = frozenset(
    {Event.FALL, Event.FIRE, Event.GAS_LEAK, Event.CANNOT_GET_UP, Event.LOST, Event.STROKE_SIGNS, Event.FRAUD}
)
# What would be done if it burned (真着火了我打119; 着火了就打119，我知道), not what is done.
_REALLY = re.compile(r"真(的|要|要是)?$")
_THEN_I_WOULD = re.compile(
    r"了?[^，？]{0,3}，?(我|俺)?(再|就|会|有)?(打|找|喊|叫|有)(?!不)|了?[^，？]{0,2}，?(谁|哪个|哪一个)(来)?(背|救|管|扶|抬|拉|知道)"
)
_THEN_ONE_DOES = re.compile(
    r"了?(要|得|应该)先|了?就(先)?(打|跑|喊|找|叫)[^？]{0,12}(知道|记得|记着|教|会背|懂)"
)
_AND_NOBODY = re.compile(r"了?，?也没人(知道|管|晓得)")
_HELPLESS_IF = re.compile(
    r"来?我(上哪|往哪|跑都跑不)|了?，?[^，？]{0,2}也(跑|逃)(都|也)?(跑|逃)?不(赢|动|脱|掉)|(都|也)(跑|逃)不(出去|了|掉|赢)"
)
_DREAMT = re.compile(r"(梦见|梦到|梦里|做梦)[^，？醒]{0,4}$")
_CONDITION = re.compile(r"要是|万一|如果|假如")
_WHOEVER = re.compile(r"(谁|哪个)(要|敢|再|要是|要敢)$")
_ONCE_MORE = re.compile(r"再(?!不|没)[^，？]{1,5}我就?$")
_UNTIL_THE_DAY = re.compile(r"等(我)?[^，？]{0,4}$")
_THAT_DAY = re.compile(r"[^，？]{0,3}(那天|那一天|那会儿)(再|才|了)")
SEEN = re.compile(r"闻(到|着|见)|看见|看到|听见|已经|真的?(?=[^，？]{0,2}$)")
# Where it burns, and what it looks like.
_BURNS = re.compile(
    r"厨房|灶|屋里|家里|我家|楼|隔壁|对门|邻居|院|门口|阳台|床|被子|锅|烟|火苗|烧|热|烫|呛|快|救|跑不|出不去|老大|大得"
)


def supposed(cues: Cues, here: Place) -> bool:
    """Imagined without a word like 要是: by the form of the sentence, and nothing says that it is now."""
    found, before, after, text = here.found, here.before, here.after, here.text
    if _CONDITION.search(text[found.start : found.end]) or _DREAMT.search(before):
        return True
    if found.event is Event.VIOLENCE:
        return _WHOEVER.search(before) is not None
    if found.event is Event.SUICIDAL:
        return _ONCE_MORE.search(text[here.start : found.start + 2]) is not None
    if _UNTIL_THE_DAY.search(before) and _THAT_DAY.match(after):
        return True
    if found.event is Event.UNCONSCIOUS:
        return found.start == here.start and _AND_NOBODY.match(after) is not None
    if found.event not in IMAGINABLE or cues.now.search(text, here.start) or cues.onset.search(text):
        return False
    if _REALLY.search(before) and _THEN_I_WOULD.match(after):
        return True
    if _THEN_ONE_DOES.match(after):
        return True
    return (
        found.event is Event.FIRE
        and here.question is Question.FIRE
        and not SEEN.search(text[here.start : found.end])
        and _HELPLESS_IF.match(after) is not None
    )


def asks_how_to_flee(cues: Cues, here: Place) -> bool:
    """着火了咋跑: asked about fire, and nothing said of where it burns or of what is seen."""
    text, found = here.text, here.found
    told = text[found.start : found.end]
    paused = here.after.removeprefix("了").startswith(("，", "？"))
    return (
        found.event is Event.FIRE
        and cues.flee.match(here.after) is not None
        and (not paused or here.question is Question.FIRE)
        and not here.plea
        and not SEEN.search(told)
        and not _BURNS.search(text)
        and not cues.now.search(text)
        and not cues.onset.search(text)
    )
