"""The YAML files of the harness: personas, scenarios and the demo village.

**personas/NAME.yaml** – one telephone number and the life behind it::

    number: "13900000001"      # what is dialled
    name: 王秀兰                # invented
    sex: female                # female | male
    voice: zf_xiaoni           # a voice of voices/index.yaml
    speed: 0.9                 # of that voice, default 0.9
    story: 身体好，问什么答什么   # one line for people
    attempts:                  # first call, second call, …; the last one repeats for ever
      - does: answer           # answer busy no_answer reject silent early_hangup voicemail
                               # announcement rtp_stop trunk_503 black_hole
        ring_s: 0.8            # ringing before whatever happens
        opening: 喂            # said after the answer …
        opening_ms: 400        # … and after this pause
        replies:               # first that fits is taken
          - when: 身体            # regular expression over the texts of the prompts heard since the elder
                               # last spoke (newest first); prompts are recognised by their sound
            say: [挺好的, 600, 没事没事]   # texts and pauses in milliseconds
            wait_ms: 500       # how long the caller must have been quiet
            times: 1           # at most so often
          - nth: 2             # or by turn: the second time it is the elder's turn, prompt known or not
            press: "1"         # keys, `by: rfc2833` (default) or `info`
          - nth: 1
            barge_ms: 1500     # over the caller's voice: so long after they began to speak the nth time
            say: 救命
          - when: 再见
            hang_up: true      # may stand beside say: hangs up afterwards
        like: well             # then the replies and otherwise of that persona's last attempt
        otherwise: [嗯]         # said in turn to what no reply fits, after a longer wait
        noise_db: 15           # speech over background noise
        loss_percent: 5        # share of our 20 ms frames that arrive as silence
        message: powered_off   # announcement: powered_off suspended invalid in_call unreachable
        via: early             # early (183 + media, then a refusal) | answer (behind 200 OK)
        repeat: 2              # how often it is played
        code: 480              # final refusal of busy, reject, announcement, trunk_503
        q850: 20               # cause in the Reason header of that refusal
        hang_up_after_s: 4     # any answered call; early_hangup needs it
        stop_after_s: 3        # rtp_stop: seconds of media before it ends
        calls_back_s: 2        # rings back so long after this call was missed; the next attempt
                               # (does: answer) says how he talks in that call

Behaviours that end in a refusal have their usual code: busy 486, reject 603, trunk_503 503,
announcements 480 (invalid 404, in_call 486). `voicemail` answers, plays the greeting and a beep,
and waits 20 s for a message.

**scenarios/NAME.yaml** – which calls are made and what must come of them::

    about: one sentence
    dialplan: weekly_short     # default
    concurrent: 4              # calls at a time, default 4
    calls:                     # in this order; a persona may come more than once
      - persona: well          # file name in personas/, without .yaml
        expect: {disposition: completed, alert: none, risk: normal, cases: []}

`expect` uses the words of xunfang/vocabulary.py; what is left out is not looked at. `alert` is the
worst of the call, `cases` the kinds of all cases open for the elder after the call.

**demo_village.yaml** – the ledger of the demo: province, county, township, village, duty_phone,
village_visitor, and elders: persona, honorific, age, categories, address, contacts and
first_visitor (name, relation, phone each) and expect as above, after all retries.

Every mistake raises BadScenario naming file and place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from sip_test_harness import schema
from sip_test_harness.model import (
    Attempt,
    DemoElder,
    DemoPerson,
    DemoVillage,
    Does,
    Expected,
    KeyMethod,
    Message,
    Persona,
    Reply,
    Scenario,
    ScenarioCall,
    Speech,
    Via,
)
from xunfang.errors import BadScenario, NotFound
from xunfang.vocabulary import Alert, CallDisposition, CaseKind, Category, Risk
from xunfang.yamlfile import read_mapping

HERE = Path(str(files("sip_test_harness")))
PERSONAS = HERE / "personas"
SCENARIOS = HERE / "scenarios"
DEMO_VILLAGE = HERE / "demo_village.yaml"
DEFAULT_SPEED = 0.9
DEFAULT_DIALPLAN = "weekly_short"


# ---- what a caller of this module wants ------------------------------------------------------------


def list_personas(folder: Path = PERSONAS) -> tuple[Persona, ...]:
    """Every persona of the folder by file name; two with one number are an error."""
    personas = tuple(load_persona(path) for path in sorted(folder.glob("*.yaml")))
    seen: dict[str, str] = {}
    for persona in personas:
        if other := seen.get(persona.number):
            raise BadScenario(
                f"personas {other} and {persona.id} have the same number: give one of them another"
            )
        seen[persona.number] = persona.id
    return personas


def list_scenarios(folder: Path = SCENARIOS, personas: Path = PERSONAS) -> tuple[Scenario, ...]:
    return tuple(load_scenario(path, personas) for path in sorted(folder.glob("*.yaml")))


def load_persona(name_or_path: str | Path, folder: Path = PERSONAS) -> Persona:
    path = _find(name_or_path, folder, "persona")
    return _persona(path, chain=())


def load_scenario(name_or_path: str | Path, personas: Path = PERSONAS, folder: Path = SCENARIOS) -> Scenario:
    path = _find(name_or_path, folder, "scenario")
    data = _read(path, schema.SCENARIO)
    return Scenario(
        id=path.stem,
        about=data["about"],
        dialplan=data.get("dialplan", DEFAULT_DIALPLAN),
        concurrent=data.get("concurrent", 4),
        calls=tuple(
            ScenarioCall(_member(call["persona"], personas, path), _expected(call.get("expect", {})))
            for call in data["calls"]
        ),
    )


def load_demo_village(path: Path = DEMO_VILLAGE, personas: Path = PERSONAS) -> DemoVillage:
    data = _read(path, schema.VILLAGE)
    return DemoVillage(
        province=data["province"],
        county=data["county"],
        township=data["township"],
        village=data["village"],
        duty_phone=data["duty_phone"],
        village_visitor=_person(data["village_visitor"]),
        elders=tuple(
            DemoElder(
                persona=_member(elder["persona"], personas, path),
                honorific=elder["honorific"],
                age=elder["age"],
                categories=frozenset(Category(word) for word in elder["categories"]),
                address=elder["address"],
                contacts=tuple(_person(contact) for contact in elder.get("contacts", [])),
                first_visitor=_person(elder["first_visitor"]),
                expect=_expected(elder["expect"]),
            )
            for elder in data["elders"]
        ),
    )


def persona_from(data: Mapping[str, Any], name: str = "persona", folder: Path = PERSONAS) -> Persona:
    """A persona from data instead of a file, with the same checks (for tests)."""
    return _build(data, name, Path(name + ".yaml"), folder, chain=())


# ---- reading -----------------------------------------------------------------------------------------


def _find(name_or_path: str | Path, folder: Path, what: str) -> Path:
    path = Path(name_or_path)
    if path.suffix != ".yaml":
        path = folder / f"{name_or_path}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise NotFound(f"no {what} {path.stem!r}; there are: {known}")
    return path


def _read(path: Path, shape: schema.Schema) -> dict[str, Any]:
    data = read_mapping(path, error=BadScenario)
    _check(data, shape, path.name)
    return data


def _check(data: Any, shape: schema.Schema, name: str) -> None:
    error = best_match(Draft202012Validator(shape).iter_errors(data))
    if error is not None:
        place = error.json_path.removeprefix("$").removeprefix(".") or "the file"
        raise BadScenario(f"{name}: {place}: {error.message}")


def _member(name: str, folder: Path, asked_by: Path) -> Persona:
    try:
        return load_persona(name, folder)
    except NotFound as why:
        raise BadScenario(f"{asked_by.name}: {why}") from None


def _persona(path: Path, chain: tuple[str, ...]) -> Persona:
    return _build(_read(path, schema.PERSONA), path.stem, path, path.parent, chain)


def _build(data: Any, ident: str, path: Path, folder: Path, chain: tuple[str, ...]) -> Persona:
    _check(data, schema.PERSONA, path.name)
    if ident in chain:
        raise BadScenario(f"{path.name}: like goes round in a circle: {' → '.join((*chain, ident))}")
    attempts = tuple(
        _attempt(attempt, f"{path.name}: attempts[{at}]", folder, (*chain, ident))
        for at, attempt in enumerate(data["attempts"])
    )
    return Persona(
        id=ident,
        number=data["number"],
        name=data["name"],
        sex=data["sex"],
        voice=data["voice"],
        speed=data.get("speed", DEFAULT_SPEED),
        story=data["story"],
        attempts=attempts,
    )


def _attempt(data: Mapping[str, Any], where: str, folder: Path, chain: tuple[str, ...]) -> Attempt:
    does = Does(data["does"])
    if does is Does.ANNOUNCEMENT and "message" not in data:
        raise BadScenario(f"{where}: an announcement needs message, e.g. message: powered_off")
    if does is Does.EARLY_HANGUP and "hang_up_after_s" not in data:
        raise BadScenario(f"{where}: early_hangup needs hang_up_after_s, e.g. hang_up_after_s: 3")
    replies = tuple(
        _reply(reply, f"{where}.replies[{at}]") for at, reply in enumerate(data.get("replies", ()))
    )
    otherwise = tuple(_speech(speech) for speech in data.get("otherwise", ()))
    if base := data.get("like"):
        path = folder / f"{base}.yaml"
        if not path.is_file():
            raise BadScenario(f"{where}: like: there is no persona {base!r}")
        last = _persona(path, chain).attempts[-1]
        replies += last.replies
        otherwise = otherwise or last.otherwise
    plain = ("ring_s", "opening_ms", "noise_db", "loss_percent", "repeat", "code", "q850")
    return Attempt(
        does=does,
        opening=_speech(data.get("opening", ())),
        replies=replies,
        otherwise=otherwise,
        message=Message(data["message"]) if "message" in data else None,
        via=Via(data.get("via", Via.EARLY)),
        **{
            key: data[key]
            for key in (*plain, "hang_up_after_s", "stop_after_s", "calls_back_s")
            if key in data
        },
    )


def _reply(data: Mapping[str, Any], where: str) -> Reply:
    if "barge_ms" in data and "nth" not in data:
        raise BadScenario(f"{where}: barge_ms needs nth: a prompt is only recognised once it has ended")
    if not data.keys() & {"say", "press", "hang_up"}:
        raise BadScenario(f"{where}: a reply needs say, press or hang_up")
    when = data.get("when")
    try:
        pattern = re.compile(when) if when else None
    except re.error as why:
        raise BadScenario(f"{where}.when: no valid regular expression: {why}") from None
    return Reply(
        when=pattern,
        say=_speech(data.get("say", ())),
        by=KeyMethod(data.get("by", KeyMethod.RFC2833)),
        **{
            key: data[key]
            for key in ("nth", "press", "hang_up", "wait_ms", "barge_ms", "times")
            if key in data
        },
    )


def _speech(data: Any) -> Speech:
    return (data,) if isinstance(data, str) else tuple(data)


def _expected(data: Mapping[str, Any]) -> Expected:
    return Expected(
        disposition=CallDisposition(data["disposition"]) if "disposition" in data else None,
        alert=Alert(data["alert"]) if "alert" in data else None,
        risk=Risk(data["risk"]) if "risk" in data else None,
        cases=tuple(CaseKind(kind) for kind in data["cases"]) if "cases" in data else None,
    )


def _person(data: Mapping[str, Any]) -> DemoPerson:
    return DemoPerson(name=data["name"], relation=data["relation"], phone=data["phone"])


@cache
def demo_village() -> DemoVillage:
    """The village that ships with the harness."""
    return load_demo_village()
