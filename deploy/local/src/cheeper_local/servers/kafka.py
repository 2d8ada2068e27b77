"""Apache Kafka, one node in KRaft mode, started with java straight from its jars."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from cheeper_local.errors import LocalError
from cheeper_local.servers import kafka_jars, kafka_protocol
from cheeper_local.servers.base import Command, Server
from cheeper_local.system.ports import HOST, free_port

_HEAP = "320m"
_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Xmx{_HEAP}", "-Xms64m")
# Kafka's own jvm options start a G1 collector for large heaps; a broker of one machine starts sooner without.


def new_cluster_id() -> str:
    """Return a random id of a cluster."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "a")


class Kafka(Server):
    """A broker and its controller in one process, with its log and its cluster id in the data folder."""

    name: ClassVar[str] = "kafka"
    durable: ClassVar[bool] = True
    cluster_id: str | None = None
    """The id that the brokers of one cluster share; None for another one whenever the data folder is made."""

    @cached_property
    def more(self) -> dict[str, str]:
        """Additional broker settings for tests, effective from the next start; they replace our own."""
        return {}

    @property
    @override
    def url(self) -> str:
        return self.address

    @property
    @override
    def origin(self) -> str:
        java = f"java {kafka_jars.java_version()} from the PATH"
        return f"Apache Kafka {kafka_jars.VERSION} of {kafka_jars.folder()}, {java}"

    @override
    def prepare(self) -> None:
        jars = kafka_jars.fetch()
        self._record_classes()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._settings_file.write_text(self._settings(free_port({self.port})))
        if not (self.data / "meta.properties").exists():
            shutil.rmtree(self.data, ignore_errors=True)
            self._format(jars)

    def _record_classes(self) -> None:
        """Run a broker once per Java that writes its loaded classes to a file. Later ones start in half the time."""
        archive = kafka_jars.class_archive()
        if archive.exists():
            return
        with tempfile.TemporaryDirectory(dir=archive.parent) as work:
            recorded = Path(work) / "classes.jsa"
            recorder = _Recorder(Path(work) / "broker", recorded)
            with suppress(LocalError):
                recorder.start()
            recorder.stop()
            if not recorded.exists():
                recorded.touch()  # this Java cannot, and does not have to try again
            recorded.rename(archive)

    def _class_options(self) -> list[str]:
        archive = kafka_jars.class_archive()
        known = archive.exists() and archive.stat().st_size > 0
        return [f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:disable"] if known else []

    def _format(self, jars: Path) -> None:
        tool = [*self._java(jars), "kafka.tools.StorageTool"]
        result = subprocess.run(
            [*tool, "format", "--cluster-id", self.cluster_id or new_cluster_id(), "--config", self._settings_file],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            lines = (result.stderr or result.stdout).strip().splitlines()
            raise LocalError(f"Kafka could not make its data folder {self.data}: {lines[-1] if lines else 'no reason'}")

    @override
    def command(self) -> Command:
        return Command([*self._java(kafka_jars.folder()), "kafka.Kafka", self._settings_file])

    @override
    def is_ready(self) -> bool:
        return kafka_protocol.is_ready(self.port)

    @property
    def _settings_file(self) -> Path:
        return self.folder / "server.properties"

    def _java(self, jars: Path) -> list[str]:
        log = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")
        return ["java", *_JVM, *self._class_options(), *log, "-cp", f"{jars}/*"]

    def _settings(self, controller_port: int) -> str:
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{HOST}:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.data),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            # After a kill the controller lets the broker back in only once its old session has run out.
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "4000",
            # Files of one small machine: rolled and indexed small, deleted at once when a topic is.
            "log.index.size.max.bytes": "1048576",
            "log.cleaner.dedupe.buffer.size": "16777216",
            "file.delete.delay.ms": "1000",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "group.coordinator.threads": "1",
            **self.more,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())


class _Recorder(Kafka):
    """A broker without clients, whose classes are recorded when it ends."""

    stop_seconds: ClassVar[float] = 120.0

    def __init__(self, folder: Path, recorded: Path) -> None:
        super().__init__(folder)
        self._recorded = recorded

    @override
    def _record_classes(self) -> None:
        pass

    @override
    def _class_options(self) -> list[str]:
        return [f"-XX:ArchiveClassesAtExit={self._recorded}", "-Xlog:disable"]
