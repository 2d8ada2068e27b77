"""The choice of the broker: BROKER=kafka or tansu, by default Kafka if it can run here, else Tansu."""

from __future__ import annotations

from typing import NamedTuple

from cheeper_local.errors import LocalError
from cheeper_local.servers import kafka_jars
from cheeper_local.servers.kafka import Kafka
from cheeper_local.servers.tansu import Tansu

Broker = type[Kafka] | type[Tansu]


class Choice(NamedTuple):
    """The broker, and the reason as the end of a sentence."""

    broker: Broker
    reason: str


def choose(wanted: str | None) -> Choice:
    """Return the broker to start. `wanted` is the value of BROKER.

    Raises LocalError for an unknown value, if Kafka is wanted and cannot run here, and if its jars are not the
    known ones.
    """
    match (wanted or "").strip().lower():
        case "tansu":
            return Choice(Tansu, "BROKER=tansu")
        case "kafka":
            reason = _reason_against_kafka()
            if reason is not None:
                raise LocalError(f"BROKER=kafka, but Apache Kafka cannot run: {reason}.")
            return Choice(Kafka, "BROKER=kafka")
        case "":
            reason = _reason_against_kafka()
            if reason is None:
                return Choice(Kafka, "Java and the jars of Kafka are here")
            return Choice(Tansu, f"Apache Kafka cannot run: {reason}")
    raise LocalError(f"BROKER is {wanted!r}, but must be kafka or tansu.")


def _reason_against_kafka() -> str | None:
    reason = kafka_jars.reason_against()
    if reason is not None:
        return reason
    try:
        kafka_jars.fetch()
    except kafka_jars.ChecksumError:
        raise  # foreign jars are to be looked into: another broker would hide them
    except LocalError as error:
        return str(error).rstrip(".")
    return None
