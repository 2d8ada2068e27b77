"""Apache Kafka's own jars, fetched by Maven into a cache that all clones of this user share.

kafka_jars.sha256 names each jar that may run, with its SHA-256, in the form of sha256sum. After a change of VERSION,
write it with `sha256sum *.jar` in the folder of the new jars, whose checksums the repository that they come from
publishes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from cheeper_local.errors import LocalError

VERSION = "4.3.1"
OLDEST_JAVA = 17
_MAVEN_SECONDS = 600
_NAMED = 5
"""Jars that an error names at most."""
CHECKSUMS = Path(__file__).with_suffix(".sha256")
_COORDINATES = (
    ("org.apache.kafka", "kafka_2.13", VERSION),
    ("org.apache.kafka", "kafka-tools", VERSION),
    ("org.slf4j", "slf4j-simple", "1.7.36"),
)
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>cheeper</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>{dependencies}</dependencies>
</project>
"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


class ChecksumError(LocalError):
    """The jars are not those of kafka_jars.sha256."""


def reason_against() -> str | None:
    """Return why Kafka cannot run here, as the end of a sentence; None if it can (with its jars)."""
    java = java_version()
    if java is None:
        return "there is no java on the PATH"
    if java < OLDEST_JAVA:
        return f"java on the PATH is version {java}, and Kafka {VERSION} needs {OLDEST_JAVA} or later"
    if not is_cached() and shutil.which("mvn") is None:
        return "there is no mvn on the PATH to fetch its jars"
    return None


def java_version() -> int | None:
    """Return the major version of java on the PATH, None if there is none."""
    found = re.search(r'version "(?:1\.)?(\d+)', _java_version_text())
    return int(found.group(1)) if found else None


def _java_version_text() -> str:
    java = shutil.which("java")
    return "" if java is None else _version_text(java)


@cache
def _version_text(java: str) -> str:
    return subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr


def folder() -> Path:
    """Return the folder of the jars, which may not exist yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "cheeper" / f"kafka-{VERSION}"


def class_archive() -> Path:
    """Return the file with this Java's copy of Kafka's classes, to be mapped into memory; empty if it makes none."""
    return folder().with_name(f"{folder().name}-{hashlib.sha256(_java_version_text().encode()).hexdigest()[:8]}.jsa")


def is_cached() -> bool:
    """Check that all jars are there; their folder appears in one step."""
    return folder().is_dir()


def fetch() -> Path:
    """Return the folder of the jars, filled by Maven if need be.

    Raise LocalError if Maven fails, ChecksumError if the jars in the folder or from Maven are not the known ones.
    """
    target = folder()
    if target.is_dir():
        _verify_once(target)
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            sys.stderr.write(f"Maven fetches the jars of Apache Kafka into {target}, once …\n")
            _run_maven(Path(work))
            jars = Path(work) / "jars"
            verify(jars)
            try:
                jars.rename(target)
            except OSError:
                if not target.is_dir():  # another clone was faster
                    raise
    except OSError as error:
        raise LocalError(f"The jars of Kafka cannot be stored in {target}: {error.strerror}.") from None
    return target


@cache
def _verify_once(jars: Path) -> None:
    verify(jars)  # a fifth of a second, so once in each process


def verify(jars: Path) -> None:
    """Compare all jars of the folder with kafka_jars.sha256. Raise ChecksumError that names what differs."""
    expected = {name: checksum for checksum, name in map(str.split, CHECKSUMS.read_text().splitlines())}
    found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in jars.iterdir()}
    differing = [
        *(f"{name} is missing" for name in sorted(expected.keys() - found.keys())),
        *(f"{name} is unknown" for name in sorted(found.keys() - expected.keys())),
        *(f"{name} differs" for name in sorted(expected.keys() & found.keys()) if expected[name] != found[name]),
    ]
    if differing:
        some = ", ".join(differing[:_NAMED]) + (" and so on" if len(differing) > _NAMED else "")
        raise ChecksumError(
            f"The jars of Kafka in {jars} are not those of {CHECKSUMS.name}, so they do not run: {some}. "
            "If you delete the folder, they are fetched again."
        )


def _run_maven(work: Path) -> None:
    dependencies = "".join(_DEPENDENCY.format(*each) for each in _COORDINATES)
    (work / "pom.xml").write_text(_POM.format(dependencies=dependencies))
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={work / 'jars'}"]
    command = ["mvn", "-q", "-B", "-f", str(work / "pom.xml"), *goal]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_MAVEN_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise LocalError(f"Maven did not fetch the jars of Kafka within {_MAVEN_SECONDS} s.") from None
    if result.returncode != 0:
        lines = (result.stdout + result.stderr).strip().splitlines()
        raise LocalError(f"Maven could not fetch the jars of Kafka: {lines[0] if lines else 'no reason given'}")
