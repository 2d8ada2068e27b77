from __future__ import annotations

import hashlib
import re

import pytest

from cheeper_local.errors import LocalError
from cheeper_local.servers import broker, kafka_jars


@pytest.fixture
def jars(tmp_path, monkeypatch):
    """A cache that holds two jars, and their checksums."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = kafka_jars.folder()
    folder.mkdir(parents=True)
    for name in ("a.jar", "b.jar"):
        (folder / name).write_text(name)
    checksums = tmp_path / "kafka_jars.sha256"
    checksums.write_text("".join(f"{hashlib.sha256(n.encode()).hexdigest()}  {n}\n" for n in ("a.jar", "b.jar")))
    monkeypatch.setattr(kafka_jars, "CHECKSUMS", checksums)
    return folder


@pytest.fixture
def maven(tmp_path, monkeypatch):
    """Put a Maven in front of the PATH that copies jars, b.jar with other bytes than the known ones."""
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\nfor each; do case $each in -DoutputDirectory=*) folder=${each#*=};; esac; done\n"
        'mkdir -p "$folder" && printf a.jar >"$folder/a.jar" && printf foreign >"$folder/b.jar"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_the_known_jars_may_run(jars):
    """Jars with the known names and checksums are taken."""
    assert kafka_jars.fetch() == jars


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda jars: (jars / "b.jar").write_text("other"), "b.jar differs"),
        (lambda jars: (jars / "b.jar").unlink(), "b.jar is missing"),
        (lambda jars: (jars / "c.jar").write_text("c"), "c.jar is unknown"),
    ],
)
def test_other_jars_do_not_run(jars, change, reason):
    """A changed, a missing and an additional jar are each refused by name, and no other broker takes Kafka's place."""
    change(jars)
    with pytest.raises(kafka_jars.ChecksumError, match=re.escape(reason)):
        kafka_jars.fetch()
    if kafka_jars.reason_against() is None:
        with pytest.raises(LocalError, match=re.escape(reason)):
            broker.choose(None)


def test_an_error_names_a_few_jars(jars):
    """With many foreign jars, the error names five."""
    for number in range(9):
        (jars / f"foreign-{number}.jar").touch()
    with pytest.raises(kafka_jars.ChecksumError, match=r"foreign-4\.jar is unknown and so on\.") as error:
        kafka_jars.verify(jars)
    assert "foreign-5" not in str(error.value)


@pytest.mark.usefixtures("maven")
def test_foreign_jars_of_maven_are_not_stored(jars):
    """Jars of Maven are compared before they take the place of the cache."""
    for each in jars.iterdir():
        each.unlink()
    jars.rmdir()
    with pytest.raises(kafka_jars.ChecksumError, match=r"b\.jar differs"):
        kafka_jars.fetch()
    assert not kafka_jars.is_cached()


def test_each_jar_of_the_version_has_a_checksum():
    """The file of checksums has the broker of VERSION, and a SHA-256 in each of its lines."""
    lines = kafka_jars.CHECKSUMS.read_text().splitlines()
    assert any(line.endswith(f"  kafka_2.13-{kafka_jars.VERSION}.jar") for line in lines)
    assert all(re.fullmatch(r"[0-9a-f]{64}  [\w.+-]+\.jar", line) for line in lines)
