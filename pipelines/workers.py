"""Workers: processes that decide and attack tables of numbers side by side, started once and only where wanted.

And a thread for what can be done beside the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from threading import Lock
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")


class Workers:
    """So many processes, started by the first who asks for them, and stopped on leaving the context.

    A fresh interpreter each ('spawn'): copies of this one would share DuckDB's threads and connections.
    """

    def __init__(self, number: int = 1) -> None:
        self.number = number
        self._starting = Lock()
        self._pool: ProcessPoolExecutor | None = None

    @property
    def pool(self) -> ProcessPoolExecutor:
        """The processes."""
        with self._starting:
            self._pool = self._pool or ProcessPoolExecutor(self.number, get_context("spawn"))
        return self._pool

    def start(self, module: str) -> None:
        """Have the processes begin, and import what their work is in, while this one is still at something else."""
        for _ in range(self.number if self.number > 1 else 0):
            self.pool.submit(_imported, module)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


@contextmanager
def meanwhile(work: Callable[[], T], stop: Callable[[], None]) -> Iterator[Future[T]]:
    """`work` done in a thread while the block goes on. Where that ends in an error nobody waits for all of the work:
    what can be stopped of it is, again and again, as it may be between two things that can be.
    """
    with ThreadPoolExecutor(1) as thread:
        doing = thread.submit(work)
        try:
            yield doing
        except BaseException:
            while not doing.done():
                stop()
                wait([doing], timeout=0.1)
            raise


def _imported(module: str) -> None:
    import_module(module)  # which could not be sent back itself


ALONE = Workers()  # no other process
