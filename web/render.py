"""Pages out of templates. Every page is rendered here, so that all of them know the viewer, the navigation,
the one "now", and what was just said (已保存)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from storage import Store
from web.access import Viewer
from web.config import WebConfig
from web.live import Live
from web.navigation import NavItem, shown_to
from web.templating import environment
from web.texts import counted, times
from xunfang.clock import Clock
from xunfang.errors import StorageError
from xunfang.vocabulary import UserRole

SAID = "xunfang-said"  # cookie: one sentence for the next page, sealed
SAID_S = 60
THEME = "xunfang-theme"  # cookie: light | dark; absent: as the system


def is_partial(request: Request) -> bool:
    """htmx asks for a part of the page that is already shown."""
    return (
        request.headers.get("hx-request") == "true"
        and request.headers.get("hx-request-type", "partial") == "partial"
        and request.headers.get("hx-history-restore-request") != "true"
    )


@dataclass(frozen=True, slots=True)
class Renderer:
    store: Store
    clock: Clock
    config: WebConfig
    nav: Sequence[NavItem]
    live: Live

    def page(
        self,
        request: Request,
        template: str,
        /,
        *,
        block: str = "",
        status: int = 200,
        said: str = "",
        tone: str = "success",
        **context: Any,
    ) -> HTMLResponse:
        """The whole page; only its block `block` when htmx asks for a part and one is named.

        `said`: a sentence shown above the page (tone: success | warning | danger). A block is rendered
        without what stands outside of it: set and import inside the block.
        """
        now = context.setdefault("now", self.clock.now())
        context |= self._common(request, now)
        page = environment().get_template(template)
        if block and is_partial(request):
            html = "".join(page.blocks[block](page.new_context(context)))
            if said:
                line = environment().get_template("parts/said.html").render(said=said, tone=tone)
                html += f'<div id="said" hx-swap-oob="innerHTML">{line}</div>'
            return HTMLResponse(html, status)
        kept = self._said_before(request)
        context["said"], context["said_tone"] = (said, tone) if said else kept
        response = HTMLResponse(page.render(context), status)
        if SAID in request.cookies:
            response.delete_cookie(SAID, path="/")
        return response

    def redirect(self, request: Request, to: str, said: str = "", tone: str = "success") -> Response:
        """After a form: 303, or what htmx understands as "go there"; `said` is shown on that page."""
        response: Response
        if request.headers.get("hx-request") == "true":
            response = Response(status_code=204, headers={"HX-Redirect": to})
        else:
            response = RedirectResponse(to, 303)
        if said:
            sealed = self.store.vault.encrypt(json.dumps([said, tone], ensure_ascii=False))
            response.set_cookie(
                SAID,
                sealed,
                max_age=SAID_S,
                httponly=True,
                samesite="lax",
                secure=self.config.secure_cookies,
                path="/",
            )
        return response

    def counted(self, item: NavItem, viewer: Viewer) -> str:
        """Beside an entry of the menu; a database that is away must not take the page with it."""
        if item.count is None:
            return ""
        try:
            with self.store.read() as work:
                return counted(item.count(work, viewer))
        except StorageError:
            return ""

    def _common(self, request: Request, now: datetime) -> dict[str, Any]:
        viewer: Viewer | None = getattr(request.state, "viewer", None)
        theme = request.cookies.get(THEME, "")
        zone = self.config.zone
        return {
            "request": request,
            "viewer": viewer,
            "roles": UserRole,
            "counted": lambda item: "" if viewer is None else self.counted(item, viewer),
            "nav": shown_to(self.nav, viewer.role) if viewer and not viewer.wall else (),
            "path": request.url.path,
            "live_version": getattr(request.state, "live_version", self.live.version),
            "theme": theme if theme in ("light", "dark") else "",
            "csp_nonce": getattr(request.state, "csp_nonce", ""),
            "at": lambda moment: times.at(moment, zone),
            "at_full": lambda moment: times.at_full(moment, zone),
            "left": lambda deadline: times.left(deadline, now),
            "urgency": lambda deadline: times.urgency(deadline, now),
        }

    def _said_before(self, request: Request) -> tuple[str, str]:
        sealed = request.cookies.get(SAID, "")
        if not sealed:
            return "", ""
        try:
            said, tone = json.loads(self.store.vault.decrypt(sealed))
        except (StorageError, ValueError):
            return "", ""
        return str(said), str(tone)
