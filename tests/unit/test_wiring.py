"""The composition root hands every room what the settings say."""

from pathlib import Path

import pytest

from ivr.dialogue import dialplan
from xunfang.errors import BadSettings
from xunfang.settings import load
from xunfang.wiring import dialplan_path, dispatch_config, line_config, policy, secret_keys

pytestmark = pytest.mark.unit


def test_a_countys_own_dialplan_goes_before_the_shipped_one_of_that_name(tmp_path: Path) -> None:
    own = tmp_path / "plans"
    own.mkdir()
    (own / "weekly_short.yaml").write_text("name: weekly_short\n", "utf-8")
    settings = load(None, {"XUNFANG_SPEECH__DIALPLANS": str(own)})
    order = dispatch_config(settings, policy(settings)).order
    assert order.dialplan_path is not None
    assert order.dialplan_path("weekly_short") == str(own / "weekly_short.yaml")
    assert order.dialplan_path("monthly_full") == "monthly_full"
    assert dialplan.load(dialplan_path(settings, "monthly_full")).name == "monthly_full"


def test_without_a_secret_nothing_is_stored(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="xunfang init"):
        secret_keys(load(None, {}))


def test_the_trunk_of_the_settings_reaches_the_lines(tmp_path: Path) -> None:
    environ = {
        "XUNFANG_TRUNK__GATEWAYS": "10.0.0.9:5062",
        "XUNFANG_TRUNK__USERNAME": "ivr",
        "XUNFANG_TRUNK__PASSWORD": "hunter2",
        "XUNFANG_TRUNK__REGISTER": "true",
        "XUNFANG_LINES__COUNT": "3",
    }
    config = line_config(load(None, environ))
    assert (config.trunk.gateways, config.trunk.username, config.trunk.register) == (
        ("10.0.0.9:5062",),
        "ivr",
        True,
    )
    assert config.trunk.password == "hunter2"
    assert "hunter2" not in repr(config)
    assert config.lines == 3


def test_the_countys_tail_reaches_the_calls() -> None:
    settings = load(None, {"XUNFANG_SPEECH__TAIL_MS": "2400"})
    assert dispatch_config(settings, policy(settings)).order.tail_ms == 2400


def test_the_duty_people_of_the_settings_reach_calls_and_lines() -> None:
    environ = {
        "XUNFANG_DUTY__NUMBER": "13800000001",
        "XUNFANG_DUTY__OTHERS": "13800000002,13800000003",
        "XUNFANG_DUTY__SCREEN_S": "20",
        "XUNFANG_DUTY__HANDOVER": "refer",
    }
    settings = load(None, environ)
    assert dispatch_config(settings, policy(settings)).order.duty_number == "13800000001"
    duty = line_config(settings).duty
    assert (duty.others, duty.screen_s, duty.handover) == (("13800000002", "13800000003"), 20.0, "refer")
    with pytest.raises(BadSettings, match="number"):
        load(None, {"XUNFANG_DUTY__OTHERS": "13800000002"})


def test_a_title_is_spoken_only_when_it_was_rendered() -> None:
    settings = load(None, {})
    order = dispatch_config(settings, policy(settings)).order
    assert order.can_greet is not None
    assert order.can_greet("王奶奶")
    assert not order.can_greet("夔奶奶")
