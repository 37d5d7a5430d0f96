"""Recognition beside the telephone: a few threads that decode, so that media never waits.

`LiveStream.feed` only puts audio into a queue. Each stream stays with one worker, which
keeps its order; a new stream goes to the worker with the fewest. Vosk releases the GIL
while it decodes, so two workers use two cores.

Lag is measured, not guessed: the age of the oldest audio that is not decoded yet. The
dispatcher stops dialling before elders wait for an answer.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass

import numpy as np

from ivr.speech.recogniser import CHUNK_BYTES, Recognised, Recogniser, Stream
from xunfang.errors import ModelError, XunfangError

MEASURED = 2_000  # pieces of audio over which percentiles of the lag are taken

Job = Callable[[], None]


@dataclass(slots=True)
class _Queued:
    since: float
    job: Job


class _Worker:
    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self._now = now
        self._queue: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._busy_since: float | None = None
        self.lags_ms: deque[float] = deque(maxlen=MEASURED)
        self.streams = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        self._queue.put(_Queued(self._now(), job))

    def lag_ms(self) -> float:
        since = self._busy_since
        return 0.0 if since is None else (self._now() - since) * 1000

    def stop(self, timeout_s: float) -> bool:
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (queued := self._queue.get()) is not None:
            self._busy_since = queued.since
            queued.job()
            self.lags_ms.append((self._now() - queued.since) * 1000)
            self._busy_since = None


class LiveStream:
    """A `Stream` at arm's length. Every method returns at once; they belong to one thread, the call's.

    Audio is queued in pieces of 100 ms: a job for each frame would have the workers and the
    telephone wait for one another (measured: 16 streams lagged by seconds at half a core).
    """

    def __init__(self, worker: _Worker, open_stream: Callable[[], Stream]) -> None:
        self._worker = worker
        self._stream: Stream | None = None
        self._broken: XunfangError | None = None
        self._result: Future[Recognised] = Future()
        self._ended = False
        self._waiting = bytearray()
        self.partial = ""
        """What has been understood so far, as of the last decoded audio."""
        worker.streams += 1
        worker.put(lambda: self._guarded(lambda: self._open(open_stream)))

    def feed(self, pcm: bytes) -> None:
        self._waiting += pcm
        if len(self._waiting) >= CHUNK_BYTES:
            self._send()

    def finish(self) -> Future[Recognised]:
        """The result comes when all that was fed is decoded. ModelError when Vosk failed."""
        if not self._ended:
            self._send()
            self._ended = True
            self._worker.put(self._finish)
        return self._result

    def abandon(self) -> None:
        """Nobody wants the result any more."""
        if not self._ended:
            self._ended = True
            self._result.cancel()
            self._worker.put(self._release)

    def _send(self) -> None:
        piece = bytes(self._waiting)
        self._waiting.clear()
        if piece and not self._ended:
            self._worker.put(lambda: self._guarded(lambda: self._decode(piece)))

    def _open(self, open_stream: Callable[[], Stream]) -> None:
        self._stream = open_stream()

    def _decode(self, pcm: bytes) -> None:
        if self._stream is not None and self._stream.feed(pcm):
            self.partial = self._stream.partial()

    def _finish(self) -> None:
        def complete() -> None:
            if self._stream is not None:
                recognised = self._stream.finish()
                with contextlib.suppress(InvalidStateError):  # the caller cancelled meanwhile
                    self._result.set_result(recognised)

        self._guarded(complete)
        if self._broken is not None:
            with contextlib.suppress(InvalidStateError):
                self._result.set_exception(self._broken)
        self._release()

    def _release(self) -> None:
        self._stream = None
        self._worker.streams -= 1

    def _guarded(self, step: Callable[[], None]) -> None:
        """A failing stream must not take the worker, and with it other calls, down."""
        if self._broken is not None:
            return
        try:
            step()
        except XunfangError as error:
            self._broken = error
        except Exception as error:  # Vosk raises bare Exception
            self._broken = ModelError(
                "recognition failed in the middle of an answer; run: xunfang models verify"
            )
            self._broken.__cause__ = error


class RecognitionWorkers:
    """Start after forking (threads do not survive it); close before the process ends."""

    def __init__(
        self, recogniser: Recogniser, threads: int = 2, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._recogniser = recogniser
        self._workers = [_Worker(f"recognition-{n}", now) for n in range(threads)]

    def open(self, phrases: Iterable[str] | None) -> LiveStream:
        """Like `Recogniser.open`; an inexpressible phrase shows when the result is asked for."""
        wanted = None if phrases is None else tuple(phrases)
        worker = min(self._workers, key=lambda each: each.streams)
        return LiveStream(worker, lambda: self._recogniser.open(wanted))

    @property
    def lag_ms(self) -> float:
        """Age of the oldest audio that waits for recognition, now."""
        return max(worker.lag_ms() for worker in self._workers)

    def lag_percentiles_ms(self) -> tuple[float, float, float]:
        """p50, p95 and worst delay from queueing to decoded, over the latest pieces; zeros before any."""
        lags = [lag for worker in self._workers for lag in tuple(worker.lags_ms)]
        p50, p95, worst = np.percentile(lags, [50, 95, 100]) if lags else (0.0, 0.0, 0.0)
        return float(p50), float(p95), float(worst)

    def close(self, timeout_s: float = 5.0) -> None:
        """Decode what is queued, then stop. ModelError when a worker hangs in the model."""
        stuck = [worker for worker in self._workers if not worker.stop(timeout_s)]
        if stuck:
            raise ModelError(f"{len(stuck)} recognition worker(s) did not stop within {timeout_s:.0f} s")
