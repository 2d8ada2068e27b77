"""Faults of Kafka: commands or events are lost, or a message cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from cheeper_contracts.kafka.topics import COMMANDS, EVENTS, partition_of
from cheeper_contracts.partitions import PARTITIONS
from cheeper_e2e.faults.alerting.scene import Scene
from cheeper_local.servers import kafka_protocol
from cheeper_local.waiting import until

_SECONDS: Final = 30.0
_HANG_SECONDS: Final = 300.0
_KEY: Final = "a key without meaning"
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]


def _delete(scene: Scene, topic: str) -> None:
    client, name = kafka_protocol.admin(scene.bootstrap), scene.topic(topic)  # kept: its end would end the request
    client.delete_topics([name])[name].result(_SECONDS)


@contextmanager
def lost_commands(scene: Scene) -> Iterator[None]:
    """The commands' topic is deleted before the worker has read it. The repair sends the commands again."""
    scene.stack.stop_process("worker")
    body = {"author_id": scene.usage.author.author_id, "message": "to be lost"}
    posts = {str(uuid.uuid4()): {**body, "cheep_id": str(uuid.uuid4())} for _ in range(3)}
    for key, post in posts.items():
        scene.usage.accepted("POST", "/cheep", post, key)
    _delete(scene, COMMANDS.name)
    scene.stack.start_process("worker")
    yield
    for key, post in posts.items():
        scene.usage.accepted("POST", "/cheep", post, key)


@contextmanager
def lost_events(scene: Scene) -> Iterator[None]:
    """Kafka drops events that the projector has not read. The repair drops all, so that the relay sends all again."""
    scene.stack.stop_process("projector")
    partition, client = partition_of(scene.usage.author.author_id), kafka_protocol.admin(scene.bootstrap)
    before = _ends(scene, client)[partition]
    until(lambda: _ends(scene, client)[partition] > before, what="a post is sent that the projector has not read")
    name = scene.topic(EVENTS.name)
    records = [TopicPartition(name, number, end) for number, end in _ends(scene, client).items()]
    for done in client.delete_records(records).values():
        done.result(_SECONDS)
    scene.stack.start_process("projector")
    yield
    _delete(scene, EVENTS.name)


def _ends(scene: Scene, client: AdminClient) -> dict[int, int]:
    partitions = [TopicPartition(scene.topic(EVENTS.name), number) for number in range(PARTITIONS)]
    found = client.list_offsets(dict.fromkeys(partitions, _LATEST))
    return {each.partition: found[each].result(_SECONDS).offset for each in partitions}


@contextmanager
def poison(scene: Scene) -> Iterator[None]:
    """A message without headers is sent to the events' topic: both stores and the process manager park it. The repair
    drops it from each of them.
    """
    producer = Producer({"bootstrap.servers": scene.bootstrap})
    producer.produce(scene.topic(EVENTS.name), b"no event", key=_KEY)
    producer.flush(_SECONDS)
    yield
    for program, places in (("projector", 2), ("write_api", 1)):

        def all_of_them(program: str = program, places: int = places) -> list[str] | None:
            found = _dead_letters(scene, program)
            return found if len(found) == places else None

        for letter in until(all_of_them, _HANG_SECONDS, what=f"{program} has parked it") or ():
            _run_dead_letters(scene, program, "drop", letter, "--yes")


def _dead_letters(scene: Scene, program: str) -> list[str]:
    return [str(json.loads(line)["id"]) for line in _run_dead_letters(scene, program, "list").splitlines()]


def _run_dead_letters(scene: Scene, program: str, *arguments: str) -> str:
    command = [sys.executable, "-m", program, "dead-letters", *arguments]
    return subprocess.run(command, env=dict(scene.environment), check=True, capture_output=True, text=True).stdout
