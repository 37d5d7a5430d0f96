"""Danger words that mean no danger: explained, compared, or spoken in anger (无害的说法). Pure.

Each has its twin in earnest (tests/unit/test_understanding_twins.py): what quiets a word here looks for
signs of the real thing first.
"""

from __future__ import annotations

import re

from ivr.understanding.model import Event
from ivr.understanding.slot_model import Place
from ivr.understanding.text import following

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
_WISHED = re.compile(r"(求|愿|盼|最好|但愿)[^，？]{0,3}$")
_TEETH = re.compile(r"(是|因为)[^，？]{0,3}(假牙|牙掉|没牙|掉牙|没戴牙)")
_NOT_BLOOD = re.compile(
    r"(?<!不)是[^，？]{0,3}(鸡|猪|鱼|鸭|鹅|羊)的?血|(?<!不)是[^，？]{0,3}(油漆|颜料|番茄|西红柿|红墨水|红药水|碘伏|火龙果)"
)
# Smell and smoke that are explained by something harmless.
_NOT_GAS = re.compile(
    r"(?<!不)是[^，？]{0,8}(腌|酸菜|泡菜|咸菜|臭豆腐|豆腐乳|咸鱼|臭鱼|下水道|地沟|厕所|油漆|樟脑|中药|榴莲|大蒜|炸|醋|酒|花露水|蚊香|尿|饭糊|油烟)"
    r"|(下水道|地沟|酸菜|臭豆腐|油漆|饭菜)的|不是(煤气|燃气|天然气)"
)
_IS_GAS = re.compile(
    r"(?<!不)(?<!是不)是(煤气|燃气|天然气|气)|头晕|头疼|恶心|吐|迷糊|站不|越来越|呛得|嘶|哧|滋"
)
_NOT_FIRE = re.compile(
    r"(?<!不)是[^，？]{0,8}(蒸汽|热气|水汽|哈气|雾气?|艾条|艾灸|烧炕|做饭|炒菜|炊烟|烧纸|上香|烧香|点香|蚊香|抽烟|熏肉|熏腊肉|烟花|放炮|鞭炮|晚霞|霓虹)"
    r"|看花眼|看错了|虚惊"
)
_COOKS = re.compile(r"(油|锅里?)(都|也)?(直|在)?冒烟了?，?(我)?(得|要|正|先|去)?(炒|下锅|煎|炸)")
_IS_FIRE = re.compile(r"(点|烧|引|燎|碰|弄|烤)着|着了|着起|火苗|快|救|扑|浇|呛得|跑|灭不")
_NO_SMELL = re.compile(r"(没|没有|没得|没什么|没啥)味(道)?$")


def explained(here: Place) -> bool:
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


def compared(here: Place) -> str:
    """What makes it a comparison ("" when it is none): 跟中毒似的, 腰断了似的疼."""
    if _LIKE.search(here.before) and here.found.event in _COMPARED and _AS_IF.match(here.after):
        return "like"
    if here.found.event is Event.VIOLENCE and here.after.startswith("似的"):
        return "like"
    return ""


def spoken_in_anger(here: Place) -> bool:
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
