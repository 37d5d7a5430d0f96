"""Settings are refused loudly: a key that is ignored is a call that is not made."""

from pathlib import Path

import pytest

from xunfang.errors import BadSettings
from xunfang.settings import describe, load

pytestmark = pytest.mark.unit


def settings_file(folder: Path, text: str) -> Path:
    file = folder / "xunfang.toml"
    file.write_text(text, "utf-8")
    return file


def test_an_unknown_key_is_refused_with_its_name_and_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"trunk\.user: unknown key; allowed here: .*username"):
        load(settings_file(tmp_path, '[trunk]\nuser = "ivr"\n'), {})


def test_an_unknown_environment_variable_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="foo: unknown key"):
        load(settings_file(tmp_path, ""), {"XUNFANG_FOO": "1"})


def test_every_bad_value_is_named_at_once(tmp_path: Path) -> None:
    text = 'timezone = "Mars"\n[schedule]\nhours = ["11:30-08:30"]\n[speech]\ntail_ms = 10\n'
    with pytest.raises(BadSettings) as refused:
        load(settings_file(tmp_path, text), {})
    said = str(refused.value)
    assert "timezone" in said
    assert "calling hours '11:30-08:30'" in said
    assert "speech.tail_ms" in said


def test_the_environment_wins_over_the_file_and_lists_are_written_with_commas(tmp_path: Path) -> None:
    file = settings_file(tmp_path, '[trunk]\ngateways = ["10.0.0.1:5060"]\n')
    settings = load(file, {"XUNFANG_TRUNK__GATEWAYS": "10.0.0.2:5060,10.0.0.3:5060"})
    assert settings.trunk.gateways == ("10.0.0.2:5060", "10.0.0.3:5060")


def test_a_secret_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    settings = load(settings_file(tmp_path, ""), {"XUNFANG_TRUNK__PASSWORD_FILE": str(secret)})
    assert settings.trunk.password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings)


def test_a_missing_secret_file_names_the_variable_and_not_the_path_content(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="XUNFANG_TRUNK__PASSWORD_FILE: cannot read"):
        load(settings_file(tmp_path, ""), {"XUNFANG_TRUNK__PASSWORD_FILE": str(tmp_path / "gone")})


def test_a_given_settings_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="xunfang init"):
        load(tmp_path / "nowhere.toml", {})


def test_broken_toml_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="not valid TOML"):
        load(settings_file(tmp_path, "[trunk\n"), {})


def test_relative_paths_begin_at_the_settings_file(tmp_path: Path) -> None:
    settings = load(settings_file(tmp_path, '[recording]\nfolder = "sound"\n'), {})
    assert settings.path(settings.recording.folder) == (tmp_path / "sound").resolve()


def test_every_setting_has_a_description_or_a_name_that_says_it() -> None:
    undescribed = [key for key, _, meaning in describe() if not meaning]
    allowed = {"timezone", "duty.name", "log.level", "log.format", "recording.enabled", "recording.folder"}
    assert set(undescribed) <= allowed | {
        "trunk.transport",
        "schedule.calls_per_second",
        "schedule.tick_s",
        "schedule.max_calls_per_day",
        "notices.webhook_secret",
    }
