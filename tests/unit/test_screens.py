"""The pictures of the console in docs/: complete, small, and asked for in the right way."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from xunfang.errors import BadInput
from xunfang.ledger.desk import Desk
from xunfang.screens import camera
from xunfang.screens.shots import SHOTS

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_pictures_is_the_one_that_the_command_makes() -> None:
    assert (DOCS / "screens.md").read_text("utf-8") == camera._index()
    assert {file.stem for file in (DOCS / "screens").iterdir()} == {shot.name for shot in SHOTS}


@pytest.mark.parametrize("shot", SHOTS, ids=lambda each: each.name)
def test_each_picture_has_its_size_and_is_small(shot: camera.Shot) -> None:
    file = DOCS / "screens" / f"{shot.name}.png"
    assert file.stat().st_size <= camera.MOST_BYTES
    with Image.open(file) as picture:
        assert picture.size == ((390, 844) if shot.phone else (1366, 768))


def test_office_and_telephone_are_shown_light_and_dark() -> None:
    assert {(shot.phone, shot.dark) for shot in SHOTS} == {
        (a, b) for a in (True, False) for b in (True, False)
    }


def test_a_noisy_picture_becomes_small_enough() -> None:
    noise = Image.effect_noise((400, 400), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "PNG")
    made = camera._small(out.getvalue())
    assert len(made) <= camera.MOST_BYTES
    assert Image.open(io.BytesIO(made)).size == (400, 400)


@pytest.mark.parametrize("state", [None, "running"])
def test_only_a_finished_demo_has_its_picture_taken(state: str | None, tmp_path: Path) -> None:
    if state is not None:
        (tmp_path / "demo.state").write_text(state, "utf-8")
    with pytest.raises(BadInput, match="is no finished demo: run"):
        camera.take_all(tmp_path, tmp_path / "docs", Desk())
    assert not (tmp_path / "docs").exists()


def test_without_playwright_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(BadInput, match=r"xunfang\[dev\]"), camera._chromium():
        pass
