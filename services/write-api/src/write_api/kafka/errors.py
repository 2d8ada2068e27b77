"""librdkafka's errors: their codes and texts."""

# ruff: noqa: SLF001 - the public names of librdkafka's own codes begin with an underscore

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from write_api.bus.errors import UnavailableError

ALL_BROKERS_DOWN: Final = KafkaError._ALL_BROKERS_DOWN
PURGED: Final = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})
COMMIT_LOST: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._STATE,
        KafkaError._NO_OFFSET,
        KafkaError._WAIT_COORD,
    }
)
"""The group has moved the partitions to another process, or its coordinator is unavailable."""


def error_text(error: Exception | KafkaError) -> str:
    """Return an error's text without the host names that librdkafka puts into the text of a single error."""
    if isinstance(error, KafkaException):
        error = error.args[0]
    if isinstance(error, KafkaError):
        return KafkaError(error.code()).str()
    return str(error) or "no response"


@contextmanager
def transient_faults() -> Iterator[None]:
    """Raise UnavailableError, in a block, for a broker that refuses a request or does not respond in time."""
    try:
        yield
    except KafkaException as error:
        raise UnavailableError(error.args[0].name()) from error
    except TimeoutError as error:
        raise UnavailableError("no response in time") from error
