"""Takes the pictures and makes docs/screens.md. Needs Playwright and Chromium (extra `dev`)."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from web.ledger import LedgerDesk
from xunfang.errors import BadInput
from xunfang.screens.shots import PLATE_OPENED, SHOTS, Shot
from xunfang.screens.stage import Stage, staged

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

OFFICE, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
WAIT_MS = 15_000
MOST_BYTES = 150_000  # of one picture
COLOURS = (256, 128, 64, 32)  # of the palette: fewer until it is small enough
SETTLE_MS = 400  # charts and waveforms draw themselves
ABSENT = "pictures need Playwright and Chromium: pip install 'xunfang[dev]', apt-get install chromium"


def take_all(demo: Path, docs: Path, ledger: LedgerDesk) -> list[Path]:
    """docs/screens/NAME.png for every shot, and docs/screens.md."""
    folder = docs / "screens"
    with staged(demo, ledger) as stage, _chromium() as browser:
        folder.mkdir(parents=True, exist_ok=True)
        sessions = {login: _session(browser, stage, login) for login in {shot.login for shot in SHOTS}}
        written = [_take(browser, stage, shot, sessions[shot.login], folder) for shot in SHOTS]
    page = docs / "screens.md"
    page.write_text(_index(), "utf-8")
    return [*written, page]


@contextmanager
def _chromium() -> Iterator[Browser]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise BadInput(ABSENT) from None
    with sync_playwright() as playwright:
        try:
            own = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        except Error:
            raise BadInput(ABSENT) from None
        yield browser
        browser.close()


def _context(browser: Browser, stage: Stage, shot: Shot | None, state: object = None) -> BrowserContext:
    phone, dark = (shot.phone, shot.dark) if shot else (False, False)
    context = browser.new_context(
        base_url=stage.url,
        viewport=PHONE if phone else OFFICE,  # type: ignore[arg-type]
        has_touch=phone,
        color_scheme="dark" if dark else "light",
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        storage_state=state,  # type: ignore[arg-type]
    )
    context.set_default_timeout(WAIT_MS)
    return context


def _session(browser: Browser, stage: Stage, login: str) -> object:
    context = _context(browser, stage, None)
    page = context.new_page()
    page.goto("/login")
    page.fill("#login", login)
    page.fill("#password", stage.password)
    page.click("button:has-text('登录')")
    page.wait_for_url(lambda url: "/login" not in url)
    state = context.storage_state()
    context.close()
    return state


def _take(browser: Browser, stage: Stage, shot: Shot, session: object, folder: Path) -> Path:
    context = _context(browser, stage, shot, session)
    page = context.new_page()
    if shot.before == PLATE_OPENED:
        _at_the_door(page, stage)
    page.goto(shot.path.format(**stage.ids))
    page.locator(shot.ready).first.wait_for()
    if shot.at:
        page.locator(shot.at).first.evaluate("each => each.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(SETTLE_MS)
    file = folder / f"{shot.name}.png"
    file.write_bytes(_small(page.screenshot(animations="disabled")))
    context.close()
    return file


def _at_the_door(page: Page, stage: Stage) -> None:
    page.goto(stage.ids["plate"])
    page.click("button:has-text('签到并打开记录')")
    page.wait_for_url("**/visit/cases/*")


def _small(png: bytes) -> bytes:
    """With a palette: as few colours as it takes to be small enough."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    made = png
    for colours in COLOURS:
        out = io.BytesIO()
        picture.quantize(colours).save(out, "PNG", optimize=True)
        made = out.getvalue()
        if len(made) <= MOST_BYTES:
            break
    return made


def _index() -> str:
    lines = [
        "<!-- made by `xunfang docs --screens`; do not edit -->",
        "# 界面 Screens",
        "",
        "A copy of one run of `xunfang demo` in Chromium: invented people, real calls, real recognition.",
        "Users, door plates and assignments are added to the copy, and two of its conversations are begun",
        "once more, so that the wall shows calls in progress. 图中人物均为虚构。",
    ]
    for shot in SHOTS:
        size = "390×844" if shot.phone else "1366×768"
        look = "深色 dark" if shot.dark else "浅色 light"
        lines += ["", f"## {shot.zh}", f"{shot.en} · `{shot.path}` · {size} · {look}", ""]
        lines.append(f"![{shot.zh}](screens/{shot.name}.png)")
    return "\n".join(lines) + "\n"
