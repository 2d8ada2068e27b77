"""The consumer group of a generation, which is deleted with the generation."""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from cheeper_runtime.retry import retry_for

_REQUEST_SECONDS: Final = 10.0
_GONE: Final = (KafkaError.GROUP_ID_NOT_FOUND, KafkaError.INVALID_GROUP_ID)


def delete(admin: AdminClient, group: str, seconds: float) -> str | None:
    """Delete the group once it has no members, which is waited for. Return the reason if it still exists after that."""

    def attempt() -> None:
        response = admin.delete_consumer_groups([group], request_timeout=_REQUEST_SECONDS)[group]
        try:
            response.result(_REQUEST_SECONDS)
        except KafkaException as error:
            if error.args[0].code() not in _GONE:
                raise

    try:
        retry_for(seconds, (KafkaException, TimeoutError))(attempt)
    except KafkaException as error:
        return str(error.args[0].str())
    except TimeoutError:
        return "the broker does not answer"
    return None
