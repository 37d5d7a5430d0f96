"""The harmless sentence and its real twin: what quiets the rules must never quiet a cry (最小对立对)."""

from __future__ import annotations

import pytest

from ivr.understanding import Question, understand
from ivr.understanding.lexicon import default_lexicon
from ivr.understanding.service import by_rules
from xunfang.vocabulary import Alert

pytestmark = pytest.mark.unit

# (question, harmless, the same words in earnest)
TWINS = {
    "comparison": [
        ("any", "这天热得跟着了火似的", "屋里着了火，快来"),
        ("any", "我睡得跟昏死过去一样，才听见电话", "他昏死过去了，怎么叫都不醒"),
        ("economy", "迷上打牌跟中毒似的，钱够花", "全家吃了蘑菇中毒了，吐得不行"),
    ],
    "the question said back": [
        ("event", "流血？谁流血啦？", "流血了，流得止不住"),
        ("gas", "漏气？哪里漏气，你听哪个说的", "漏气了，满屋子味"),
        ("health", "中风？中风是啥样的？", "中风了吧，嘴歪了话也说不清"),
        ("event", "走丢？你说谁走丢了？", "老伴走丢了，到现在没回来"),
    ],
    "a question that denies": [
        ("mobility", "哪个说我起不来床的？我一早就去打太极了", "我起不来床了，没人管我"),
        ("mood", "我能想不开？我还等着抱重孙子呢", "我想不开了，药就在手边"),
    ],
    "taken back as a joke": [
        ("mood", "不想活了，哎呀说着玩的", "不想活了，我不是说着玩的"),
        ("mobility", "起不来了，嘿嘿逗你的", "起不来了，没跟你开玩笑"),
        ("any", "快来人快来人，三缺一", "快来人快来人，老伴倒了"),
    ],
    "so much that": [
        ("mood", "蚊子咬得我不想活了", "我不想活了，今晚就走"),
        ("mood", "气得我喘不上来气，儿媳妇太不像话", "我喘不上来气，嘴都紫了"),
        ("mood", "寂寞得要死，没人说话", "胸口疼得要死，直冒汗"),
    ],
    "imagined by its form": [
        ("callback", "不用，真着火了我打119", "真着火了，我家厨房，快来"),
        ("event", "谁要打我我就报警", "他要打我，拿着刀，快报警"),
        ("health", "嘴要是歪了我就打120，闺女教的", "嘴歪了，我打120没人接"),
        ("event", "摔了谁扶我，家里就我一个", "我摔了起不来，谁来扶我一把"),
        ("event", "晕倒了也没人知道，一个人住", "老伴晕倒了，叫不醒"),
        ("callback", "有事我会打120的，你放心", "快帮我打120"),
        ("health", "头疼得厉害的时候吃片药就好", "头疼得厉害，吐了好几回，看不清东西"),
        ("callback", "救命的时候才麻烦你们", "救命啊，麻烦你们了"),
        ("fire", "煤气灶着火要先关阀门", "煤气灶着火了，要烧到房顶了"),
        ("fire", "我老做梦梦见着火", "做梦惊醒了，一看厨房着火了"),
    ],
    "a harmless smell": [
        ("gas", "有味儿，是我家酸菜缸的味儿，不是煤气", "有味儿，不是酸菜，是煤气，老伴闻着都吐了"),
        ("gas", "煤气没味儿，天天闻", "煤气味儿大得呛人"),
    ],
    "harmless smoke and blood": [
        ("any", "屋里起烟了，是老头子点艾条熏腿呢", "屋里起烟了，艾条把被子点着了"),
        ("fire", "着火了，嗨，是锅里冒的蒸汽，看花眼了", "着火了，是锅里的油着了，扑不灭"),
        ("event", "杀鸡弄了一手血，我没受伤，是鸡血", "杀鸡把手腕子剌开了，血往外滋，按不住"),
    ],
    "the old trouble": [
        ("health", "胸口闷，阴天就犯，老病根儿，跟以前一样", "胸口闷得厉害，直冒冷汗，跟以前不一样"),
        ("health", "老慢支，天冷就喘，习惯了，还那样", "老慢支，今天喘得受不了，嘴都紫了"),
    ],
    "over and cared for": [
        ("mobility", "起不来床了，儿媳妇伺候着，吃喝都端来", "起不来床了，几天没人管了"),
        ("event", "昨天趴地上起不来，幸好送水的来了扶我一把", "我趴地上起不来，快来扶我一把"),
        ("event", "老头走失了，小区保安刚给找着", "老头走失了，到现在没找着"),
    ],
    "shown, read out, long ago": [
        ("any", "救命啊，昨儿那个小品太逗了", "救命啊，电视着火了"),
        ("event", "嘴歪手麻，我念给你听听，这是宣传单上的", "嘴歪手麻，跟宣传单上写的一样，就现在"),
        ("event", "晚上听见有人砸门，原来是送外卖的敲错了", "有人砸门，拿着刀"),
        ("any", "火葬场那边着火了听说", "我家着火了，听说救不了了"),
        ("any", "那会儿打仗，喊救命的多了，我才七岁", "我喊救命喊半天了，没人来"),
        ("event", "二十岁献血晕过，如今没那事", "刚才晕过去了，现在还站不住"),
        ("event", "六零年饿得吃树皮，如今大米白面啥都不缺", "饿得站不住了，家里啥都没有"),
    ],
    "animals and things": [
        ("any", "我这懒猫，趴在地上起不来，叫它都不动弹", "喂猫的时候摔了，趴在地上起不来"),
        ("event", "昏过去了，说的是我家那只猫，天热", "昏过去了，我家老头子，叫不醒"),
        ("any", "我家那只老狗起不来了，老了", "放羊摔了，起不来了"),
        ("identity", "没气了，自行车没气了，你等会儿", "没气了，老伴没气了，快来人"),
        ("gas", "漏气了，哦，是轮胎漏气", "漏气了，是煤气罐漏气"),
        ("any", "快救救我这盆君子兰吧，叶子都黄了", "快救救我吧，我动不了"),
        ("any", "电视剧要完了，看完再说", "人要完了，快来"),
    ],
    "sayings": [
        ("any", "打死我也不买那保健品了", "他说要打死我，快来"),
        ("any", "三天没吃辣的了，馋死我了", "三天没吃饭了"),
        ("any", "火烧眉毛了才想起我，这孩子", "火烧到眉毛了，快救火"),
        ("any", "再打我就把你号拉黑了", "别打了别打了，再打我就没命了"),
        ("any", "高兴得我心都要跳出来了", "我心都要跳出来了，直冒冷汗"),
        ("event", "孩子他爸喝多了吐了一地，睡着了", "农药喝多了吐了一地，叫不醒"),
        ("family", "儿子不来看我，我死了他都不知道", "再不来人我就死了"),
        ("needs", "明天儿子带我去医院换药", "快带我去医院，胸口疼得不行"),
        ("mobility", "下楼得人抱，一个人不行了", "屋里老伴一个人不行了，快来"),
    ],
}
PAIRS = [(why, *pair) for why, pairs in TWINS.items() for pair in pairs]
# Nobody is rung by the rules alone; these are for a human to look at or for nobody.
NEVER_SILENT = [
    ("mood", "蚊子咬得我不想活了"),
    ("mood", "不想活了，哎呀说着玩的"),
    ("mood", "腿疼得真不想活了，说着玩的"),
    ("mood", "气得我喘不上来气，儿媳妇太不像话"),
    ("fire", "起火了我也跑不赢，七楼啊"),
]


@pytest.mark.parametrize(("why", "question", "harmless", "real"), PAIRS)
def test_the_harmless_twin_rings_nobody_by_the_rules(
    why: str, question: str, harmless: str, real: str
) -> None:
    ruled, _, _ = by_rules(harmless, Question(question), default_lexicon())
    assert ruled.alert is not Alert.URGENT, (why, ruled.reasons)


@pytest.mark.parametrize(("why", "question", "harmless", "real"), PAIRS)
def test_its_real_twin_rings_a_human(why: str, question: str, harmless: str, real: str) -> None:
    ruled, _, _ = by_rules(real, Question(question), default_lexicon())
    meant = understand(real, question)
    assert ruled.alert is Alert.URGENT, (why, ruled.reasons)
    assert meant.alert is Alert.URGENT
    assert meant.evidence


@pytest.mark.parametrize(("question", "text"), NEVER_SILENT)
def test_strong_words_about_dying_are_looked_at_even_in_jest(question: str, text: str) -> None:
    assert understand(text, question).alert is not Alert.NONE
