"""Choose what the audio corpus says: writes `index.jsonl` anew (without sound; `render.py` speaks it).

    python tests/corpus/audio/choose.py

Deterministic: the same lexicon, dialplans and `free.yaml` give the same lines. Run it again only to
make a new corpus: a phrase that is taken out of the grammar later must stay in the measurement.

- `distress`: every danger phrase of the grammar, by both voices, spread over the questions of a visit;
- `benign`: the answers of the grammar and the dialplan that raise no alarm, evenly over the questions;
- `control`: what may be said at any time;
- `free`: the sentences of free.yaml.

`alert` and `answer` say what a careful listener understands. For phrases they are what the written
phrase means in the light of its question, and BY_HAND where that was wrong when they were chosen.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import yaml
from items import INDEX, Item, items
from measure import meaning

from ivr.dialogue import dialplan
from ivr.dialogue.plan import Ask
from ivr.understanding import (
    announcement_phrases,
    answer_phrases,
    control_phrases,
    distress_phrases,
)
from ivr.understanding.model import Question
from xunfang.vocabulary import Alert

HERE = Path(__file__).parent
PLAN = "monthly_full"
VOICES = ("zm_yunyang", "zf_xiaoni")
SPEEDS = (0.8, 0.9, 1.0)
BENIGN_PER_QUESTION = 13
CONTROLS_AT = (Question.HEALTH, Question.GAS, Question.FAMILY, Question.NEEDS)
# Danger that the written phrase did not raise when the corpus was chosen (the text lexicon's fault).
BY_HAND = {
    "有人砸门": Alert.URGENT,
    "三天没吃饭": Alert.URGENT,
    "没吃的了": Alert.URGENT,
    "摔倒了起不来": Alert.URGENT,
}
ASKED_AT = {"没气了": Question.ANY}  # elsewhere it may be the gas bottle
# Whole phrases that old people say and the grammar should hold, whether or not it does yet.
ALSO_DISTRESS = ("我胸口疼", "摔倒了起不来", "我摔倒了起不来", "我快不行了", "帮我叫救护车", "我要死了")


def main() -> None:
    plan = dialplan.load(PLAN)
    asks = [plan.identity, *plan.questions]
    ask_of = {ask.topic: ask for ask in reversed(asks)}  # the first that asks about a topic
    topics = list(dict.fromkeys(ask.topic for ask in asks))
    spoken = {(item.text, item.voice, item.speed): item for item in items()} if INDEX.exists() else {}
    chosen: list[Item] = []

    def add(kind: str, text: str, ask: Ask, voices: tuple[str, ...], **known: Any) -> None:
        meant = meaning(plan, ask.id, text)
        alert = known.get("alert", BY_HAND.get(text, meant.alert))
        answer = known.get("answer", meant.answer)
        for voice in voices:
            number, speed = f"a{len(chosen):03d}", SPEEDS[len(chosen) % len(SPEEDS)]
            item = Item(number, kind, text, ask.topic, ask.id, str(alert), answer, voice, speed)
            before = spoken.get((text, voice, speed))
            if before is not None and before.file == item.file:
                item = replace(item, start_s=before.start_s, seconds=before.seconds)
            chosen.append(item)

    distress = tuple(dict.fromkeys((*distress_phrases(), *ALSO_DISTRESS)))
    for text, topic in zip(distress, cycle(topics), strict=False):
        add("distress", text, ask_of[ASKED_AT.get(text, topic)], VOICES)

    taken = {*distress, *control_phrases(), *announcement_phrases()}
    one_each = cycle(VOICES)
    for topic in topics:
        own = {answer: ask_of[topic] for answer in answer_phrases(topic) if answer not in taken}
        for ask in asks:
            for word in _of(ask) if ask.topic is topic else ():
                own |= {word: ask} if word not in own and word not in taken else {}
        quiet = [text for text, ask in own.items() if meaning(plan, ask.id, text).alert is not Alert.URGENT]
        step = max(1.0, len(quiet) / BENIGN_PER_QUESTION)
        for n in range(min(len(quiet), BENIGN_PER_QUESTION)):
            text = quiet[int(n * step)]
            add("benign", text, own[text], (next(one_each),))
    for text, topic in zip(control_phrases(), cycle(CONTROLS_AT), strict=False):
        add("control", text, ask_of[topic], (next(one_each),))
    free = yaml.safe_load((HERE / "free.yaml").read_text("utf-8"))
    for kind, sentences in free.items():
        for sentence in sentences:
            alert = sentence.get("alert", "urgent" if kind == "urgent" else "none")
            question = Question(sentence["question"])
            add(
                "free",
                sentence["text"],
                ask_of[question],
                (next(one_each),),
                alert=alert,
                answer=sentence.get("answer"),
            )
    lines = [json.dumps(asdict(item), ensure_ascii=False) for item in chosen]
    INDEX.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(chosen)} utterances; now run render.py")


def _of(ask: Ask) -> list[str]:
    words = (word for some in (*ask.means.values(), *ask.concrete_means.values()) for word in some)
    return [word for word in words if len(word) > 1]


if __name__ == "__main__":
    main()
