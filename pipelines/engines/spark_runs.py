"""The folders of runs on Spark, on a path or in an object store: the last one that ended well stays, others go."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

WHOLE = "_WHOLE"  # an empty file in the folder of a run that ended well


def mark_whole(session: SparkSession, run: str) -> None:
    """Say of a run's folder that all is in it."""
    path, system = _path(session, f"{run}/{WHOLE}")
    system.create(path).close()


def remove_runs(session: SparkSession, work: str, whose: str, *, but: str, whole_too: bool) -> None:
    """Remove the folders of a university's runs but one: those that are not whole, or those that are too."""
    path, system = _path(session, work)
    places = [each.getPath() for each in system.listStatus(path)] if system.exists(path) else []
    for place in [each for each in places if each.getName().startswith(whose) and each.getName() != but]:
        if whole_too or not system.exists(_path(session, f"{work}/{place.getName()}/{WHOLE}")[0]):
            system.delete(place, True)


def remove(session: SparkSession, folder: str) -> None:
    """Delete a folder, wherever it is."""
    path, system = _path(session, folder)
    system.delete(path, True)


def _path(session: SparkSession, place: str) -> tuple[Any, Any]:
    """A path of Hadoop's, and the file system it is on."""
    jvm: Any = session.sparkContext._jvm
    path = jvm.org.apache.hadoop.fs.Path(place)
    return path, path.getFileSystem(session.sparkContext._jsc.hadoopConfiguration())
