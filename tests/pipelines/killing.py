"""Commands in processes of their own, to be killed. What they import is imported once, and each starts at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

from pipelines import commands

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["pipelines.run", "pipelines.purge", "great_expectations", "duckdb_sqlalchemy"])
CHANGES = ("fsync", "replace", "rename", "unlink")  # of files, in `os`


def start(*arguments: object, changes: int | None = None) -> BaseProcess:
    """Start a command; before it makes more than so many changes of files, it is killed."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported
    settings = {name: value for name, value in os.environ.items() if name.startswith("APT_")}
    process = CONTEXT.Process(target=_command, args=([str(a) for a in arguments], settings, changes))
    process.start()
    return process


def _command(arguments: list[str], settings: dict[str, str], changes: int | None) -> None:
    os.environ.update(settings)
    if changes is not None:
        left = [changes]
        for name in CHANGES:
            setattr(os, name, _counted(getattr(os, name), left))
    sys.exit(commands.main(arguments))


def _counted(call: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def stop(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)

    return stop
