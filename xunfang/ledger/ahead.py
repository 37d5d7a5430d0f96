"""Reading a large spreadsheet in a second process, so that it costs no time beside the writing.

openpyxl parses about 3,000 rows a second and is busy all the while; the importer is, too. With
two processor cores the longer of the two is what a person waits for, not the sum.
"""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

from xunfang.errors import BadInput

CHUNK_ROWS = 500
CHUNKS_AHEAD = 8  # what stands in memory at most
LOOK_S = 1.0  # how often a silent reader is looked at

Row = Sequence[Any]
Numbered = tuple[int, Row]
Opener = Callable[..., Iterator[Numbered]]


def _read(open_rows: Opener, arguments: tuple[Any, ...], out: Any) -> None:
    chunk: list[Numbered] = []
    try:
        for numbered in open_rows(*arguments):
            chunk.append(numbered)
            if len(chunk) >= CHUNK_ROWS:
                out.put(chunk)
                chunk = []
        out.put(chunk)
        out.put(None)
    except BadInput as error:
        out.put(str(error))


def read_ahead(open_rows: Opener, *arguments: Any) -> Generator[Numbered]:
    """What `open_rows(*arguments)` gives (a function of a module), read by another process.

    Its BadInput is raised here; a reader that dies raises BadInput, too, and no row is lost unsaid.
    """
    # Spawned, not forked: the importer has threads and an open database.
    context = multiprocessing.get_context("spawn")
    chunks: Any = context.Queue(CHUNKS_AHEAD)
    reader = context.Process(target=_read, args=(open_rows, arguments, chunks), daemon=True)
    reader.start()
    try:
        while (chunk := _next(chunks, reader)) is not None:
            if isinstance(chunk, str):
                raise BadInput(chunk)
            yield from chunk
    finally:
        reader.terminate()
        reader.join()
        chunks.close()


def _next(chunks: Any, reader: BaseProcess) -> list[Numbered] | str | None:
    while True:
        alive = reader.is_alive()
        try:
            found: list[Numbered] | str | None = chunks.get(timeout=LOOK_S)
            return found
        except queue.Empty:
            if not alive:
                raise BadInput("读取表格的进程意外结束（内存不足？）：可另存为 csv 再导入") from None
