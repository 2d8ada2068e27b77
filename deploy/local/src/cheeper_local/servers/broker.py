"""Which broker runs: BROKER=kafka or tansu, or by default Kafka where it can run and Tansu where it cannot."""

from __future__ import annotations

from typing import NamedTuple

from cheeper_local.errors import LocalError
from cheeper_local.servers import kafka_jars
from cheeper_local.servers.kafka import Kafka
from cheeper_local.servers.tansu import Tansu

Broker = type[Kafka] | type[Tansu]


class Choice(NamedTuple):
    """The broker, and why this one, as a sentence."""

    broker: Broker
    why: str


def choose(wanted: str | None) -> Choice:
    """The broker to start. `wanted` is the value of BROKER.

    Raises LocalError for an unknown value, and where Kafka is asked for and cannot run here.
    """
    match (wanted or "").strip().lower():
        case "tansu":
            return Choice(Tansu, "BROKER=tansu asks for it")
        case "kafka":
            reason = _why_no_kafka()
            if reason is not None:
                raise LocalError(f"BROKER=kafka asks for Apache Kafka, but {reason}.")
            return Choice(Kafka, "BROKER=kafka asks for it")
        case "":
            reason = _why_no_kafka()
            if reason is None:
                return Choice(Kafka, "Java and the jars of Kafka are here")
            return Choice(Tansu, f"Apache Kafka cannot run: {reason}")
    raise LocalError(f"BROKER is {wanted!r}, but must be kafka or tansu.")


def _why_no_kafka() -> str | None:
    reason = kafka_jars.why_not()
    if reason is not None:
        return reason
    try:
        kafka_jars.fetch()
    except LocalError as error:
        return str(error).rstrip(".")
    return None
