"""The alternatives to the worker and the projector: the plainest loops, as processes of their own.

`decode` reads a topic of events from its beginning, decodes each message with the same codec, and drops it: the bound
of any projector in this language. `one-by-one` handles commands, a transaction each: BEGIN, the statements that leave
the same rows as the worker does, COMMIT. Each prints, as JSON, its number of messages and the seconds they took.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any, Final, cast
from uuid import uuid4

import msgspec
import psycopg
from confluent_kafka import Consumer
from psycopg import errors

from cheeper_bench.environment.kafka_feed import reader
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.kafka import codec
from cheeper_contracts.kafka.envelope import Envelope, from_headers
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_contracts.messages import Event
from cheeper_contracts.partitions import PARTITIONS
from projector.messages.decoding import decode

_PATIENCE: Final = 30.0
_BATCH: Final = 500

USERNAME: Final = "SELECT username FROM authors WHERE author_id = %s::uuid"
CHEEP: Final = """
INSERT INTO cheeps (cheep_id, author_id, message, cheep_date, post_digest) VALUES (%s, %s, %s, %s, '\\x00')
"""
FOLLOW: Final = "INSERT INTO follows (follow_id, from_author_id, to_author_id, followed_at) VALUES (%s, %s, %s, %s)"
OUTBOX: Final = """
INSERT INTO outbox (message_id, type, source, "time", key, correlation_id, reply_to, payload)
VALUES (%s, %s, '/bench', %s, %s, %s, %s, %s)
"""
HANDLED: Final = """
INSERT INTO handled_commands (message_id, digest, key, accepted, outcome, at)
VALUES (%s, '\\x00', %s, true, '{"changed":true,"code":null,"message":null,"accepted":false}', %s)
"""


class Done(msgspec.Struct, frozen=True):
    """The output of a loop at its end."""

    messages: int
    seconds: float


def decode_all(bootstrap_servers: str, prefix: str, wanted: int) -> Done:
    """Decode `wanted` events. Raise TimeoutError."""
    consumer = reader(bootstrap_servers, EVENTS.named(prefix), dict.fromkeys(range(PARTITIONS), 0))
    done, began = 0, 0.0
    while done < wanted:
        messages = consumer.consume(min(_BATCH, wanted - done), _PATIENCE)
        if not messages:
            raise TimeoutError(f"{done} of {wanted} events are there")
        began = began or time.perf_counter()
        for message in messages:
            if decode(message).event is None:
                raise ValueError("not an event")
        done += len(messages)
    return Done(done, time.perf_counter() - began)


def handle_one_by_one(bootstrap_servers: str, prefix: str, url: str, wanted: int) -> Done:
    """Handle `wanted` commands. Raise TimeoutError."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": f"{prefix}one-by-one",
            "auto.offset.reset": "earliest",
            "log_level": 2,
        }
    )
    consumer.subscribe([COMMANDS.named(prefix)])
    done, began = 0, 0.0
    with psycopg.connect(url, prepare_threshold=0, options="-c jit=off") as connection:
        while done < wanted:
            message = consumer.poll(_PATIENCE)
            if message is None:
                raise TimeoutError(f"{done} of {wanted} commands are there")
            began = began or time.perf_counter()
            envelope = from_headers(cast("Any", message.headers()))
            try:
                _handle(connection, codec.decode_command(envelope.type, message.value()), envelope)
                connection.commit()
            except errors.UniqueViolation:
                connection.rollback()  # it was handled before
            done += 1
    seconds = time.perf_counter() - began
    consumer.close()
    return Done(done, seconds)


def _handle(connection: psycopg.Connection[Any], command: object, envelope: Envelope) -> None:
    now = time.time_ns() // 1000
    event: Event
    match command:
        case PostCheep():
            row = connection.execute(USERNAME, (command.author_id,)).fetchone()
            if row is None:
                raise LookupError(command.author_id)
            connection.execute(CHEEP, (command.cheep_id, command.author_id, command.message, now))
            event = CheepPosted(
                cheep_id=command.cheep_id,
                author_id=command.author_id,
                author_username=row[0],
                message=command.message,
                cheep_date=now,
            )
        case Follow():
            connection.execute(FOLLOW, (command.follow_id, command.from_author_id, command.to_author_id, now))
            event = AuthorFollowed(
                follow_id=command.follow_id,
                from_author_id=command.from_author_id,
                to_author_id=command.to_author_id,
                followed_at=now,
            )
        case _:
            raise TypeError(type(command).__name__)
    payload = codec.encode(event).decode()
    ids = (envelope.correlation_id, envelope.message_id)
    connection.execute(OUTBOX, (str(uuid4()), event.TYPE, now, event.key, *ids, payload))
    connection.execute(HANDLED, (envelope.message_id, event.key, now))


def main() -> None:
    """Run a loop over the servers that the environment names."""
    parser = argparse.ArgumentParser(prog="python -m cheeper_bench.baselines.loops")
    parser.add_argument("loop", choices=("decode", "one-by-one"))
    parser.add_argument("messages", type=int)
    options = parser.parse_args()
    kafka, prefix = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["TOPIC_PREFIX"]
    if options.loop == "decode":
        done = decode_all(kafka, prefix, options.messages)
    else:
        done = handle_one_by_one(kafka, prefix, os.environ["DATABASE_URL"], options.messages)
    sys.stdout.write(msgspec.json.encode(done).decode() + "\n")


if __name__ == "__main__":
    main()
