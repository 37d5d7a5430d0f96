"""The surnames (姓氏) whose greeting is rendered beforehand: 王奶奶，您好。

The most common ones of the 2020 census in about their order, some frequent in the south
and among minorities, and double surnames. A callee whose surname is not here is greeted
without it (`PromptStore.title`): a polite 奶奶 is better than a mispronounced name.
"""

from __future__ import annotations

from ivr.speech.prompts import title_text

HONORIFICS = ("奶奶", "爷爷")

SINGLE = tuple(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚"
    "沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤常温"
    "康施牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂苗"
    "盛曲翁骆华解查"
)
DOUBLE = ("欧阳", "司马", "上官", "诸葛", "皇甫", "尉迟", "慕容", "令狐", "司徒", "夏侯", "长孙", "东方")
SURNAMES = (*SINGLE, *DOUBLE)

# As surnames these are read differently from the common word; the engine is given a
# character that sounds as the surname does.
SOUNDS_LIKE = {
    "曾": "增",
    "任": "人",
    "单": "善",
    "翟": "宅",
    "覃": "秦",
    "葛": "舸",
    "华": "化",
    "解": "谢",
    "查": "渣",
}


def choice_text(surname: str, honorific: str) -> str:
    """The bare name, offered to the caller of a shared telephone: 王奶奶。"""
    return f"{surname}{honorific}。"


def spoken_titles() -> dict[str, str]:
    """Every greeting and every bare name -> what to give the engine.

    The blank keeps surname and honorific apart: 牛奶奶 would otherwise be cut as 牛奶 + 奶.
    """
    spoken: dict[str, str] = {}
    for surname in (*SURNAMES, ""):
        for honorific in HONORIFICS:
            name = f"{SOUNDS_LIKE.get(surname, surname)} {honorific}".lstrip()
            spoken[title_text(surname, honorific)] = f"{name}，您好。"
            if surname:
                spoken[choice_text(surname, honorific)] = f"{name}。"
    return spoken
