"""The console as one ASGI application. Sync endpoints: they run in threads, each with its own transaction.

    app = create_app(store, clock, config)

Order of what a request passes: headers → metrics → body limit → same origin → routes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from storage import Store
from web import pages, problems
from web.access import SignInAgain
from web.api import PREFIX, create_api
from web.config import WebConfig
from web.live import Live
from web.metrics import Measured, Metrics
from web.pages import sign_in
from web.render import Renderer
from web.security.csrf import SameOrigin
from web.security.headers import BodyLimit, SecurityHeaders
from web.security.passwords import Passwords
from web.security.sessions import cookie_name
from web.services import House
from web.templating import STATIC
from xunfang.clock import Clock

FOR_EVER = "public, max-age=31536000, immutable"


class KeptStatic(StaticFiles):
    """What is asked for with the hash of its content (templating.static) never changes."""

    async def get_response(self, path: str, scope: Any) -> Response:
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = FOR_EVER if versioned else "no-cache"
        if path == "sw.js":  # lies below /static, works for the visitor's pages and nothing else
            response.headers["Service-Worker-Allowed"] = "/v"
        return response


def create_app(store: Store, clock: Clock, config: WebConfig, passwords: Passwords | None = None) -> FastAPI:
    """`passwords`: cheaper ones for tests. The store stays the caller's to close."""
    passwords = passwords or Passwords()
    assert passwords.nobody, "made now, so that the first unknown login is not slower than a known one"
    metrics = Metrics()
    live = Live(store, config.live_s, metrics)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        live.start()
        yield
        live.close()

    app = FastAPI(title="巡访", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.house = House(
        store=store,
        clock=clock,
        config=config,
        passwords=passwords,
        live=live,
        metrics=metrics,
        render=Renderer(store, clock, config, pages.navigation(), live),
    )
    for module in pages.MODULES:
        app.include_router(module.router)
    app.mount(PREFIX, create_api(app.state.house), name="api")
    app.mount("/static", KeptStatic(directory=STATIC), name="static")
    problems.register(app)

    async def sign_in_again(request: Request, error: Exception) -> Response:
        assert isinstance(error, SignInAgain)
        return await sign_in.again(request, error.user)

    app.add_exception_handler(SignInAgain, sign_in_again)
    # The last added is the first to be passed.
    app.add_middleware(SameOrigin, cookie=cookie_name(config.secure_cookies))
    app.add_middleware(BodyLimit, limit=config.body_bytes)
    app.add_middleware(Measured, metrics=metrics)
    app.add_middleware(SecurityHeaders, secure=config.secure_cookies)
    return app
