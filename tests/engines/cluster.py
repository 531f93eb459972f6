"""A real Spark standalone cluster on loopback: one master, and workers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SECONDS = 60
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
LOOPBACK = "127.0.0.1"
FRUGAL = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # for a Java that lives minutes beside others on few cores


def java() -> str | None:
    """Why there is no cluster to be had on this machine, in words; None where there is."""
    found = shutil.which("java", path=f"{os.environ.get('JAVA_HOME', '')}/bin:{os.environ['PATH']}")
    if found is None:
        return "there is no Java runtime; install one, 17 or newer (Debian: apt install openjdk-17-jre-headless)"
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < 17:
        return f"Java is {version[1] if version else 'of no known version'}; Spark needs 17 or newer"
    return None


@contextmanager
def cluster(folder: Path, workers: int = 2, cores: int = 2, memory: str = "2g") -> Iterator[str]:
    """Start the cluster, and stop it at the end; gives the URL of its master."""
    with ExitStack() as running:
        log = _start(running, folder, "master", MASTER, "--host", LOOPBACK, "--port", "0", "--webui-port", "0")
        url = _told(log, r"(spark://127\.0\.0\.1:\d+)")
        for number in range(workers):
            place = ("--host", LOOPBACK, "--webui-port", "0", "--work-dir", str(folder / f"work-{number}"))
            _start(running, folder, f"worker-{number}", WORKER, *place, "--cores", str(cores), "--memory", memory, url)
        for number in range(workers):
            _told(folder / f"worker-{number}.log", "(Successfully registered)")
        yield url


def _start(running: ExitStack, folder: Path, name: str, entry: str, *arguments: str) -> Path:
    import pyspark

    home = Path(pyspark.__file__).parent
    settings = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": LOOPBACK, "SPARK_DAEMON_MEMORY": "256m"}
    settings |= {"SPARK_DAEMON_JAVA_OPTS": FRUGAL}
    log = folder / f"{name}.log"
    process = subprocess.Popen(
        [home / "bin" / "spark-class", entry, *arguments],
        stdout=running.enter_context(log.open("w")),
        stderr=subprocess.STDOUT,
        env={**os.environ, **settings},
    )
    running.callback(process.wait)
    running.callback(process.terminate)
    return log


def _told(log: Path, pattern: str) -> str:
    """What a daemon's log says, as soon as it does."""
    for _ in range(SECONDS * 10):
        if found := re.search(pattern, log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(f"the log did not say {pattern} in {SECONDS} s:\n{log.read_text(errors='replace')[-2000:]}")
