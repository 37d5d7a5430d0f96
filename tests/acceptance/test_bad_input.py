"""What goes wrong at the keyboard: a message that says what and what to do.

Every kind of trouble has its own exit code (xunfang.errors), so that a script can tell them apart.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from command_line import ROOT, environment
from warm import Warm, warm

from xunfang import setup
from xunfang.errors import BadInput, ModelError, StorageError
from xunfang.settings import load
from xunfang.wiring import open_store

pytestmark = pytest.mark.acceptance

Mend = Callable[[Path], None]


@pytest.fixture(scope="module")
def xunfang() -> Iterator[Warm]:
    with warm(environment()) as typed:
        yield typed


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A new installation, as `xunfang init` makes it."""
    setup.init(tmp_path)
    return tmp_path


def settings_say(text: str) -> Mend:
    def write(house: Path) -> None:
        (house / setup.SETTINGS_FILE).write_text(text, "utf-8")

    return write


def settings_change(old: str, new: str) -> Mend:
    def write(house: Path) -> None:
        file = house / setup.SETTINGS_FILE
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    return write


def file_says(name: str, text: str) -> Mend:
    def write(house: Path) -> None:
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(text, "utf-8")

    return write


def changed_key(house: Path) -> None:
    with open_store(load(house / setup.SETTINGS_FILE, {})):
        pass  # made, with the first key
    (house / setup.KEY_FILE).write_text("another key that is long enough to be one, 0123456789\n", "utf-8")


def broken_model(house: Path) -> None:
    """Its folder is there, but what matters in it is not."""
    model = house / "models" / SMALL_MODEL
    shutil.copytree(ROOT / "asr_models" / "starter", model)
    next(model.rglob("final.mdl")).write_bytes(b"not a model")
    settings_change("[lines]", f'[speech]\nmodel = "{SMALL_MODEL}"\n\n[lines]')(house)


def odd_dialplan(house: Path) -> None:
    plan = yaml.safe_load((ROOT / "ivr" / "dialplans" / "demo_short.yaml").read_text("utf-8"))
    plan["questions"][1]["topic"] = "weather"
    (house / "own.yaml").write_text(yaml.safe_dump(plan, allow_unicode=True), "utf-8")


SMALL_MODEL = "vosk-model-small-cn-0.22"
TROUBLE: dict[str, tuple[Mend, tuple[str, ...], int, tuple[str, ...]]] = {
    "a dialplan that is no YAML": (
        file_says("own.yaml", "name: own\nquestions: [\n  - id: health\n"),
        ("dialplan", "check", "own.yaml"),
        BadInput.exit_code,
        ("own.yaml", "line 3"),
    ),
    "a dialplan with a topic that is none": (
        odd_dialplan,
        ("dialplan", "check", "own.yaml"),
        BadInput.exit_code,
        ("own.yaml", "questions", "weather"),
    ),
    "an unknown dialplan": (
        lambda _: None,
        ("simulate", "dayly_short", "--replies", os.devnull),
        BadInput.exit_code,
        ("dayly_short", "weekly_short"),
    ),
    "an unknown setting": (
        settings_say('[trunk]\ngateway = "10.0.0.5:5060"\n'),
        ("plan",),
        BadInput.exit_code,
        ("trunk.gateway: unknown key", "gateways"),
    ),
    "a bad value": (
        settings_say('[trunk]\ngateways = ["10.0.0.5"]\n[schedule]\nhours = ["11:30-08:30"]\n'),
        ("plan",),
        BadInput.exit_code,
        ("trunk.gateways.0", "host:port", "schedule.hours", "11:30-08:30"),
    ),
    "settings that are no TOML": (
        settings_say("[trunk\n"),
        ("plan",),
        BadInput.exit_code,
        ("xunfang.toml is not valid TOML", "line 1"),
    ),
    "no secret key": (
        settings_say('timezone = "Asia/Shanghai"\n'),
        ("plan",),
        BadInput.exit_code,
        ("storage.secret_key is missing", "xunfang init"),
    ),
    "a secret key whose file is gone": (
        lambda house: (house / setup.KEY_FILE).unlink(),
        ("plan",),
        BadInput.exit_code,
        ("secret_key_file", setup.KEY_FILE, "xunfang init"),
    ),
    "a model that was never fetched": (
        settings_change("[lines]", f'[speech]\nmodel = "{SMALL_MODEL}"\n\n[lines]'),
        ("run",),
        ModelError.exit_code,
        (f"{SMALL_MODEL} is not installed", f"xunfang models fetch {SMALL_MODEL}"),
    ),
    "an unknown model": (
        settings_change("[lines]", '[speech]\nmodel = "vosk-large"\n\n[lines]'),
        ("run",),
        BadInput.exit_code,
        ("vosk-large", "starter"),
    ),
    "a broken model": (
        broken_model,
        ("run",),
        ModelError.exit_code,
        (SMALL_MODEL, "xunfang models"),
    ),
    "a database of another key": (
        changed_key,
        ("cases",),
        StorageError.exit_code,
        ("key",),
    ),
    "a database that cannot be opened": (
        settings_change("sqlite:///xunfang.db", "sqlite:///secret.key/xunfang.db"),
        ("plan",),
        StorageError.exit_code,
        ("cannot be created", "storage.url"),
    ),
    "a folder that is no demo": (
        file_says("photos/cat.txt", "miaow"),
        ("demo", "--folder", "photos"),
        BadInput.exit_code,
        ("photos", "no demo", "--folder"),
    ),
    "a scenario with a word that is none": (
        file_says("odd.yaml", "about: odd\ncalls:\n  - persona: well\n    expect: {disposition: complete}\n"),
        ("harness", "run", "odd.yaml"),
        BadInput.exit_code,
        ("odd.yaml", "calls[0].expect.disposition", "'complete'"),
    ),
    "a scenario with an unknown persona": (
        file_says("odd.yaml", "about: odd\ncalls:\n  - persona: weII\n"),
        ("harness", "run", "odd.yaml"),
        BadInput.exit_code,
        ("odd.yaml", "weII", "busy_then_answers"),
    ),
    "an elder who is not in the ledger": (
        lambda _: None,
        ("call", "17"),
        BadInput.exit_code,
        ("no elder 17", "xunfang ledger list"),
    ),
    "a case that there is not": (
        lambda _: None,
        ("cases", "show", "3"),
        BadInput.exit_code,
        ("no case 3", "xunfang cases"),
    ),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_is_told_with_what_to_do_and_its_own_exit_code(
    house: Path, xunfang: Warm, trouble: str
) -> None:
    make, words, code, told = TROUBLE[trouble]
    make(house)
    ran = xunfang(*words, cwd=house)
    said = ran.stdout + ran.stderr
    assert ran.returncode == code, said
    for each in told:
        assert each in said
    assert "Traceback" not in said


def test_a_broken_line_is_named_and_what_came_before_it_is_judged(house: Path, xunfang: Warm) -> None:
    lines = '{"id": 1, "question": "event", "text": "没摔"}\n{"id": 2, "text": \n'
    ran = xunfang("understand", cwd=house, stdin=lines)
    assert ran.returncode == BadInput.exit_code
    assert json.loads(ran.stdout)["id"] == 1
    assert "stdin, line 2: not JSON" in ran.stderr


def test_a_broken_model_leaves_the_one_in_use_in_use(house: Path, xunfang: Warm) -> None:
    bad = house / "bad.zip"
    bad.write_bytes(b"PK\x03\x04 not a whole archive")
    fetched = xunfang("models", "fetch", SMALL_MODEL, "--from", bad, cwd=house)
    assert fetched.returncode == ModelError.exit_code
    assert "bytes" in fetched.stderr
    listed = json.loads(xunfang("models", "list", "--json", cwd=house).stdout)
    assert [model["entry"]["name"] for model in listed if model["current"]] == ["starter"]
    assert bad.exists(), "a file that a person gave is not ours to delete"
