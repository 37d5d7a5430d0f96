"""uvicorn around the app. Live streams end first: a server waits for open answers before it stops."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

import uvicorn
from fastapi import FastAPI

from xunfang.errors import BadSettings

STOP_S = 5  # what is still being answered may end


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.house.live.close()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def _server(app: FastAPI, host: str, port: int, forwarded_by: str) -> _Server:
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,  # lines of ours only (xunfang.log): URLs are nobody's business
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=forwarded_by,
        timeout_graceful_shutdown=STOP_S,
        ws="none",
    )
    return _Server(config)


def serve(app: FastAPI, host: str, port: int, forwarded_by: str = "127.0.0.1") -> None:
    """Until SIGTERM or Ctrl-C. Raises BadSettings when the port is taken."""
    _free(host, port)
    _server(app, host, port, forwarded_by).run()


def _free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise BadSettings(_taken(host, port, error)) from None


def _taken(host: str, port: int, error: OSError) -> str:
    return f"cannot listen on {host}:{port} ({error.strerror}); choose another port with --port or web.port"


class Background:
    """The same in a thread of its own: inside `xunfang run`, and in tests (`port` 0: any)."""

    def __init__(self, app: FastAPI, host: str, port: int, forwarded_by: str = "127.0.0.1") -> None:
        try:
            self._socket = socket.create_server((host, port))
        except OSError as error:
            raise BadSettings(_taken(host, port, error)) from None
        self.host, self.port = self._socket.getsockname()[:2]
        self._server = _server(app, host, self.port, forwarded_by)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """The socket listens already: who connects now is answered as soon as the app is up."""
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Background:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
