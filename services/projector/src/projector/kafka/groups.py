"""The consumer group of a generation, when the generation goes."""

from __future__ import annotations

import time
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

_ASKING_SECONDS: Final = 10.0
_PAUSE: Final = 0.5
_GONE: Final = (KafkaError.GROUP_ID_NOT_FOUND, KafkaError.INVALID_GROUP_ID)


def delete(admin: AdminClient, group: str, seconds: float) -> str | None:
    """Deletes it once nobody reads by it any more, for which it waits so long; why it is still there, if so."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            admin.delete_consumer_groups([group], request_timeout=_ASKING_SECONDS)[group].result(_ASKING_SECONDS)
        except KafkaException as error:
            if error.args[0].code() in _GONE:
                return None
            why = str(error.args[0].str())
        except TimeoutError:
            why = "the broker does not answer"
        else:
            return None
        if time.monotonic() >= deadline:
            return why
        time.sleep(_PAUSE)
