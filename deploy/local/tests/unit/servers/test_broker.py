from __future__ import annotations

import pytest

from cheeper_local.errors import LocalError
from cheeper_local.servers import broker
from cheeper_local.servers.kafka import Kafka
from cheeper_local.servers.tansu import Tansu


def test_tansu_can_be_asked_for():
    """BROKER=tansu takes Tansu also if Kafka could run."""
    assert broker.choose(" Tansu ").broker is Tansu


def test_an_unknown_broker_is_refused_with_the_known_ones():
    """A typo in BROKER is an error and starts no broker."""
    with pytest.raises(LocalError, match=r"^BROKER is 'rabbit', but must be kafka or tansu\.$"):
        broker.choose("rabbit")


def test_without_java_kafka_is_refused_and_tansu_is_the_default(monkeypatch, tmp_path):
    """Without Java the default is Tansu, with the reason; BROKER=kafka is an error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match=r"^BROKER=kafka, but .* there is no java on the PATH\.$"):
        broker.choose("kafka")
    choice = broker.choose(None)
    assert choice.broker is Tansu
    assert choice.reason == "Apache Kafka cannot run: there is no java on the PATH"


def test_an_old_java_is_named(monkeypatch, tmp_path):
    """The reason names the version of Java and the one that Kafka needs."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert "java on the PATH is version 8, and Kafka 4.3.1 needs 17 or later" in broker.choose(None).reason


def test_kafka_listens_on_this_machine_alone_and_waits_for_no_consumer(tmp_path):
    """Kafka listens on the loopback, has one replica of everything, and makes no topic by itself."""
    settings = Kafka(tmp_path, 20_001)._settings(20_002)
    lines = dict(line.split("=", 1) for line in settings.splitlines())
    assert lines["listeners"] == "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002"
    assert {value for name, value in lines.items() if name.endswith(("replication.factor", "min.isr"))} == {"1"}
    assert lines["group.initial.rebalance.delay.ms"] == "0"
    assert lines["auto.create.topics.enable"] == "false"
