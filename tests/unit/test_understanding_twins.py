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
        ("health", "夜里腿抽筋抽得厉害，揉揉就好", "老伴浑身抽得厉害，叫不醒"),
        ("needs", "谁能扶我下楼晒太阳就好了", "谁能扶我起来，我摔在地上了"),
        ("identity", "他出去遛弯了，还没回来，晚点打", "他出去遛弯一天了，还没回来，找不着人"),
        ("health", "哮喘，喘的时候喷两下药就好", "哮喘，喷了药也不管用，喘得说不出话"),
        ("any", "医生说再晚点就没命了，那是去年的事", "快来，再晚点就没命了"),
        ("any", "高兴得我心都要跳出来了", "我心都要跳出来了，直冒冷汗"),
        ("event", "孩子他爸喝多了吐了一地，睡着了", "农药喝多了吐了一地，叫不醒"),
        ("family", "儿子不来看我，我死了他都不知道", "再不来人我就死了"),
        ("needs", "明天儿子带我去医院换药", "快带我去医院，胸口疼得不行"),
        ("mobility", "下楼得人抱，一个人不行了", "屋里老伴一个人不行了，快来"),
    ],
}
PAIRS = [(why, *pair) for why, pairs in TWINS.items() for pair in pairs]
# Real cries that hold the very words that quiet others.
CRIES = [
    ("any", "电视机冒烟着火了，快来"),
    ("any", "正看电视剧呢，老伴突然倒了叫不醒"),
    ("event", "原来是煤气忘关了，满屋子味，我头晕"),
    ("any", "起不来了，别当真话传给儿子，快来人"),
    ("fire", "我老伴做饭把厨房点着了，烟都灌进卧室了"),
    ("fire", "不是做饭的烟，是沙发着火了"),
    ("gas", "不是下水道的味，是煤气味，头晕"),
    ("gas", "有味儿，像是煤气，不是饭味"),
    ("mood", "疼得我不想活了，药都准备好了"),
    ("mood", "吵得我不想活了，绳子都拴好了"),
    ("health", "胸口疼，老毛病了，今天特别厉害，冒冷汗"),
    ("health", "胸口闷，跟以前一样，就是这回喘不上气了"),
    ("health", "胸口疼了两个月了，今天疼得受不了"),
    ("any", "我家狗叫个不停，老伴倒在院里不动了"),
    ("any", "猫把锅碰翻了，厨房着火了"),
    ("any", "老伴喂鸡去了，倒在鸡圈边上，叫不应"),
    ("event", "从前天起不来床，没吃没喝"),
    ("event", "昨天摔的，今天还起不来，在地上"),
    ("event", "打从昨晚就叫不醒他"),
    ("identity", "他住院了，我一个人在家，胸口疼得厉害"),
    ("health", "歇歇也不好，胸口疼得冒汗"),
    ("needs", "你们的救命电话打不通，快来人，我动不了"),
    ("any", "我会打120，可打不通，快帮帮我，老伴不行了"),
    ("any", "我打了120了，还没来，人快不行了"),
    ("any", "真着火了，不骗你，快来"),
    ("any", "真的着火了，我找不到门"),
    ("fire", "着火了，谁来救救我"),
    ("fire", "着火了我往外跑不动了，腿不行"),
    ("event", "谁敢打我，他就敢，正打我呢"),
    ("event", "要是再没人来我就死在这了，我动不了"),
    ("any", "我不是开玩笑，真的喘不上气"),
    ("mood", "我说的不是气话，今晚我就走，农药买好了"),
    ("any", "跟你说正经的，我老伴昏过去了"),
    ("health", "胸口跟压了石头似的，喘不上气"),
    ("health", "头跟炸开一样疼，吐了"),
    ("event", "中毒了，跟上回一样，吐得站不起来"),
    ("event", "血流得跟水似的，止不住"),
    ("mobility", "跟死人一样躺着动不了，一天了"),
    ("mobility", "坐地上剥花生，站起来就倒了，现在动不了了"),
    ("any", "迷路了，这是哪儿啊，我害怕"),
    ("event", "二十岁的孙子晕倒了，现在还没醒"),
    ("event", "走丢了，老伴早上去菜市场到现在没回来"),
    ("identity", "她在菜场摔了，还没回来，有人说她不动了"),
    ("any", "打麻将打得好好的，老李突然口歪眼斜"),
    ("any", "刚打完牌，胸口疼得厉害"),
    ("health", "笑得肚子疼，不是，是真疼，疼得打滚"),
    ("event", "儿子喝多了，正拿刀砍门"),
    ("family", "他打我一拳，牙都掉了，还在打"),
    ("any", "宣传单上说的煤气中毒，我现在就头晕恶心，屋里有煤炉"),
    ("any", "听见隔壁喊救命，一直在喊，快来人"),
    ("any", "梦见老伴了，我也想跟他走，药在手边"),
]
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


@pytest.mark.parametrize(("question", "text"), CRIES)
def test_a_cry_is_heard_through_the_words_that_quiet_others(question: str, text: str) -> None:
    ruled, _, _ = by_rules(text, Question(question), default_lexicon())
    assert ruled.alert is Alert.URGENT, ruled.reasons
    assert understand(text, question).alert is Alert.URGENT
