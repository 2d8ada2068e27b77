"""The adapters of Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cheeper_contracts.views.generations import FIRST, prefix_of
from cheeper_runtime.traces import tracer
from projector.settings import Settings
from projector.stores.redis.accepted import RedisAcceptedCommands
from projector.stores.redis.access import acl_file
from projector.stores.redis.generations import RedisGenerations
from projector.stores.redis.lag import RedisLagReports
from projector.stores.redis.parked import RedisParkedMessages
from projector.stores.redis.scripts import RedisSettings
from projector.stores.redis.store import RedisStore

_CONNECT_SECONDS: Final = 2.0
_CALL_SECONDS: Final = 5.0


class RedisBackend:
    """Makes what works on the Redis at REDIS_URL."""

    name = "redis"
    has_tasks = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def store(self, generation: int = FIRST) -> RedisStore:
        """Make the hot views of a generation."""
        return RedisStore(self._client(), self._settings_of(generation), tracer())

    def generations(self) -> RedisGenerations:
        """Make the registry of generations."""
        return RedisGenerations(self._client(), self._settings.redis_prefix)

    def parked_messages(self, generation: int = FIRST) -> RedisParkedMessages:
        """Make the parked messages of a generation."""
        return RedisParkedMessages(self._client(), self._settings_of(generation), tracer())

    def lag_reports(self) -> RedisLagReports:
        """Make the lag reports of all generations."""
        return RedisLagReports(self._client(), self._settings.redis_prefix)

    def accepted_commands(self) -> RedisAcceptedCommands:
        """Make the records of accepted commands."""
        return RedisAcceptedCommands(self._client(), self._settings.redis_prefix)

    def users(self, passwords: Path) -> str:
        """Return the file of users, which the server reads."""
        return acl_file(self._settings.redis_prefix, passwords)

    def _settings_of(self, generation: int) -> RedisSettings:
        return RedisSettings(
            prefix=prefix_of(self._settings.redis_prefix, generation),
            inline_max=self._settings.fanout_inline_max,
            slice_size=self._settings.fanout_slice,
            generation=generation,
            installation=self._settings.redis_prefix,
        )

    def _client(self) -> Redis:
        # The projector's own retry loop repeats calls, so the client must not.
        return Redis.from_url(
            self._settings.redis_url,
            socket_timeout=_CALL_SECONDS,
            socket_connect_timeout=_CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
