"""A command that cannot be decoded, behind which the commands of its key are parked."""

from __future__ import annotations

from confluent_kafka import Producer

from cheeper_contracts.kafka.topics import COMMANDS
from cheeper_local.running import RunningStack


def send_poison(stack: RunningStack, key: str) -> None:
    """Send it to a local stack, past the API. Raise RuntimeError if the broker does not take it."""
    producer = Producer({"bootstrap.servers": stack.environment["KAFKA_BOOTSTRAP_SERVERS"]})
    producer.produce(COMMANDS.name, key=key, value=b"no command")
    if producer.flush(60) != 0:
        raise RuntimeError("the broker took no message within a minute")
