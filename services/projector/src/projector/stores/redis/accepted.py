"""Records of accepted commands in Redis, for queries of a command's status before it is handled."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from redis import Redis

from cheeper_contracts import views
from projector.projections.command_records import expires_at
from projector.stores.redis.faults import passing_faults


class RedisAcceptedCommands:
    """The records, under the installation's prefix: they belong to no generation."""

    name = "redis"

    def __init__(self, client: Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def prepare(self) -> None:
        """Raise StoreUnavailableError if Redis does not answer: there is nothing to make."""
        with passing_faults():
            self._client.ping()

    def record(self, accepted: Sequence[views.AcceptedCommand]) -> None:
        """Record each command once, unless its record would have expired by now, which Redis's clock decides."""
        with passing_faults(), self._client.pipeline(transaction=False) as pipe:
            for one in accepted:
                key = views.ACCEPTED_COMMAND.key(self._prefix, one.message_id)
                # NX: a command repeated under its key later is not shown as sent anew.
                pipe.set(key, msgspec.json.encode(one), nx=True, exat=max(1, expires_at(one.at)))
            pipe.execute()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
