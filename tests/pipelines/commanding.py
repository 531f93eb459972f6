"""The command line as tests use it, and what it published."""

import duckdb
import pytest

from pipelines import commands, publish
from pipelines.settings import Settings


def pipelines(*arguments):
    return commands.main([str(a) for a in arguments])


def run_in(folder, **variables):
    """The command, with data and key in `folder`."""
    paths = {"APT_DATA": folder / "data", "APT_KEY_FILE": folder / "keys" / "pseudonym.key", **variables}
    with pytest.MonkeyPatch.context() as patch:
        for name, path in paths.items():
            patch.setenv(name, str(path))
        assert pipelines("run") == 0
        return Settings()


def read(settings, sql):
    with duckdb.connect(settings.published / publish.current(settings) / "university.duckdb", read_only=True) as con:
        return con.execute(sql).fetchall()


def failing(error):
    """What raises an error, whatever it is called with."""

    def fail(*_, **__):
        raise error

    return fail
