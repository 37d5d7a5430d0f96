"""Did it happen? Polarity (肯定、否定、不确定、反问) of an event, read from the words around it.

The order of the questions matters: media and warnings before fear, fear before negation, double
negation before negation (不是没摔 affirms), near misses before affirmation.
"""

from __future__ import annotations

import re

from ivr.understanding.cues import Cues
from ivr.understanding.model import Event, Polarity, Question
from ivr.understanding.slot_model import Judged, Place
from ivr.understanding.text import LIST_MARK, following

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
# Said to be like it, not to be it. What a body feels is always said so (像压了石头) and is not meant here.
_LIKE = re.compile(r"(跟|像|好像|好比|如同)[^，？]{0,4}$")
_AS_IF = re.compile(r"[^，？]{0,4}?(似的|一样|一般)")
_BROKEN_AS_IF = re.compile(r"了?(似的|一样|一般)(地|的)?(疼|痛|酸)")
_COMPARED = frozenset(
    {Event.FIRE, Event.POISONING, Event.VIOLENCE, Event.BLEEDING, Event.FALL, Event.UNCONSCIOUS}
)
# So annoyed, or losing so much, that one could ...: a way of speaking; a human looks.
_SO_MUCH_THAT = re.compile(r"得(我|人|俺)?(真|都|简直|恨不得|要疯了)?(，)?$")
_UPSET_ME = re.compile(r"(气|愁|烦|吵|笑)得(我|人|俺)")
# What would be done if it burned (真着火了我打119; 着火了就打119，我知道), not what is done.
_REALLY = re.compile(r"真(的|要|要是)?$")
_THEN_I_WOULD = re.compile(
    r"了?[^，？]{0,3}，?(我|俺)?(再|就|会|有)?(打|找|喊|叫|有)(?!不)|了?[^，？]{0,2}，?(谁|哪个|哪一个)(来)?(背|救|管|扶|抬|拉|知道)"
)
_THEN_ONE_DOES = re.compile(r"了?就(先)?(打|跑|喊|找|叫)[^？]{0,12}(知道|记得|记着|教|会背|懂)")
_AND_NOBODY = re.compile(r"了?，?也没人(知道|管|晓得)")
_HELPLESS_IF = re.compile(r"来?我(上哪|往哪|跑都跑不)|了?，?[^，？]{0,2}也(跑|逃)(都|也)?(跑|逃)?不(赢|动|脱|掉)|(都|也)(跑|逃)不(出去|了|掉|赢)")
_DREAMT = re.compile(r"(梦见|梦到|梦里|做梦)[^，？醒]{0,4}$")
_WISHED = re.compile(r"(求|愿|盼|最好|但愿)[^，？]{0,3}$")
_NO_SMELL = re.compile(r"(没|没有|没得|没什么|没啥)味(道)?$")
_ASKS_WHERE = re.compile(r"(哪里|哪儿|谁家?|哪个)$")
_TEETH = re.compile(r"(是|因为)[^，？]{0,3}(假牙|牙掉|没牙|掉牙|没戴牙)")
_NOT_BLOOD = re.compile(
    r"(?<!不)是[^，？]{0,3}(鸡|猪|鱼|鸭|鹅|羊)的?血|(?<!不)是[^，？]{0,3}(油漆|颜料|番茄|西红柿|红墨水|红药水|碘伏|火龙果)"
)
_CONDITION = re.compile(r"要是|万一|如果|假如")
_WHOEVER = re.compile(r"(谁|哪个)(要|敢|再|要是|要敢)$")
_ONCE_MORE = re.compile(r"再(?!不|没)[^，？]{1,5}我就?$")
_UNTIL_THE_DAY = re.compile(r"等(我)?[^，？]{0,4}$")
_THAT_DAY = re.compile(r"[^，？]{0,3}(那天|那一天|那会儿)(再|才|了)")
# Smell and smoke that are explained by something harmless.
_NOT_GAS = re.compile(
    r"(?<!不)是[^，？]{0,8}(腌|酸菜|泡菜|咸菜|臭豆腐|豆腐乳|咸鱼|臭鱼|下水道|地沟|厕所|油漆|樟脑|中药|榴莲|大蒜|炸|醋|酒|花露水|蚊香|尿|饭糊|油烟)"
    r"|(下水道|地沟|酸菜|臭豆腐|油漆|饭菜)的|不是(煤气|燃气|天然气)"
)
_IS_GAS = re.compile(r"(?<!不)(?<!是不)是(煤气|燃气|天然气|气)|头晕|头疼|恶心|吐|迷糊|站不|越来越|呛得|嘶|哧|滋")
_NOT_FIRE = re.compile(
    r"(?<!不)是[^，？]{0,8}(蒸汽|热气|水汽|哈气|雾气?|艾条|艾灸|烧炕|做饭|炒菜|炊烟|烧纸|上香|烧香|点香|蚊香|抽烟|熏肉|熏腊肉|烟花|放炮|鞭炮|晚霞|霓虹)"
    r"|看花眼|看错了|虚惊"
)
_COOKS = re.compile(r"(油|锅里?)(都|也)?(直|在)?冒烟了?，?(我)?(得|要|正|先|去)?(炒|下锅|煎|炸)")
_IS_FIRE = re.compile(r"(点|烧|引|燎|碰|弄|烤)着|着了|着起|火苗|快|救|扑|浇|呛得|跑|灭不")

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
    if _explained(here):
        return Polarity.NEGATED, False, ""
    compared = _compared(here)
    if compared:
        return Polarity.UNCERTAIN, False, compared
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
        supposed = not conditional and _supposed(cues, here)
        if conditional or what_then or flees or supposed:
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
    if cues.uncertain.search(before) or _spoken_in_anger(here):
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


def _explained(here: Place) -> bool:
    """A smell of pickles, the smoke of a stove, steam taken for smoke."""
    if here.found.event not in (Event.GAS_LEAK, Event.FIRE, Event.BLEEDING) or here.plea:
        return False
    told = here.text[here.start : here.end] + following(here.text, here.end, 2)
    if here.found.event is Event.BLEEDING:
        return _NOT_BLOOD.search(told) is not None
    if here.found.event is Event.GAS_LEAK and _NO_SMELL.search(here.text[here.found.start : here.found.end]):
        return True
    if here.found.event is Event.GAS_LEAK:
        return _NOT_GAS.search(told) is not None and _IS_GAS.search(told) is None
    if _COOKS.search(told):
        return True
    return _NOT_FIRE.search(told) is not None and _IS_FIRE.search(here.text[here.found.end :]) is None


def _compared(here: Place) -> str:
    """What makes it a comparison ("" when it is none): 跟中毒似的, 腰断了似的疼."""
    if _LIKE.search(here.before) and here.found.event in _COMPARED and _AS_IF.match(here.after):
        return "like"
    if here.found.event is Event.VIOLENCE and here.after.startswith("似的"):
        return "like"
    return ""


def _spoken_in_anger(here: Place) -> bool:
    """停水停得我不想活了, 气得我喘不上气, 腰断了似的疼: strong words, and a human looks."""
    event, told = here.found.event, here.text[here.found.start : here.found.end]
    if event is Event.SUICIDAL:
        return _SO_MUCH_THAT.search(here.before) is not None
    if event is Event.BREATHLESS:
        return _UPSET_ME.search(here.before + told) is not None
    if event is Event.UNCONSCIOUS:
        return _WISHED.search(here.before) is not None and "睡" in told
    if event is Event.STROKE_SIGNS:
        return _TEETH.search(here.text) is not None
    return event is Event.SEVERE_PAIN and _BROKEN_AS_IF.match(here.after) is not None


def _supposed(cues: Cues, here: Place) -> bool:
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
    if found.event not in _IMAGINABLE or cues.now.search(text, here.start) or cues.onset.search(text):
        return False
    if _REALLY.search(before) and _THEN_I_WOULD.match(after):
        return True
    if _THEN_ONE_DOES.match(after):
        return True
    return (
        found.event is Event.FIRE
        and here.question is Question.FIRE
        and not _SEEN.search(text[here.start : found.end])
        and _HELPLESS_IF.match(after) is not None
    )


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
