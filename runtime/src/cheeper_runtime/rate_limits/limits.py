"""The limits of a service: one of all requests by their cost, and some of certain requests of their own.

limited = LimitedRequest(limits, actor, peer, headers)
await limited.take(20)
...
fields = limited.fields()
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from cheeper_runtime.rate_limits.callers import Callers
from cheeper_runtime.rate_limits.limiter import Bucket, RateLimiter
from cheeper_runtime.rate_limits.policy import RATE_LIMIT, RATE_LIMIT_POLICY, RateLimitedError

Headers = Iterable[tuple[bytes, bytes]]


class LimitedRequest:
    """A request of this actor, None if it has none, which came from `peer`, under the limits of a service."""

    __slots__ = ("_actor", "_bucket", "_headers", "_limits", "_own", "_peer")

    def __init__(self, limits: RateLimits, actor: str | None, peer: str | None, headers: Headers) -> None:
        self._limits = limits
        self._actor = actor
        self._peer = peer
        self._headers = headers
        self._bucket: Bucket | None = None
        self._own: tuple[RateLimiter, Bucket] | None = None

    async def take(self, cost: int, own: str | None = None) -> None:
        """Take the request's cost from its caller's bucket, and one unit from the bucket of its client under the limit
        named `own`. Raise RateLimitedError.
        """
        limits = self._limits
        if not self.take_now(cost) and self._bucket is not None:
            await limits.general.take_reserved(self._bucket, cost)
        if own is not None:
            limiter = limits.own[own]
            client = limits.callers.client(self._peer, self._headers)
            self._own = limiter, limiter.bucket(client)
            try:
                await limiter.take(client, 1)
            except RateLimitedError:
                self.refund(cost)  # a refusal costs nothing
                raise

    def take_now(self, cost: int) -> bool:
        """Take the request's cost without waiting for other replicas. Return False, and take none, if they must be
        asked. Raise RateLimitedError.
        """
        limits, actor = self._limits, self._actor
        caller = limits.callers.client(self._peer, self._headers) if actor is None else f"actor {actor}"
        self._bucket = bucket = limits.general.bucket(caller)
        return limits.general.take_now(bucket, cost)

    def refund(self, cost: int) -> None:
        """Put back a part of the cost that the request did not have after all."""
        if self._bucket is not None:
            self._limits.general.refund(self._bucket, cost)

    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return the header fields of the response. They are empty if nothing was charged."""
        limits, bucket = self._limits, self._bucket
        if bucket is None:
            return ()
        level = limits.general.level(bucket)
        if self._own is None:
            return (RATE_LIMIT, level), limits.policy
        limiter, own = self._own
        return (
            (RATE_LIMIT, b"%b, %b" % (level, limiter.level(own))),
            (RATE_LIMIT_POLICY, b"%b, %b" % (limits.policy[1], limiter.policy.declared.encode())),
        )


class RateLimits:
    """The limits: `general` counts the caller, and each of `own`, by its policy's name, the client's address, since one
    client can have many accounts. `policy` is the header field that declares the general one.
    """

    def __init__(
        self, general: RateLimiter, callers: Callers, own: Mapping[str, RateLimiter] = MappingProxyType({})
    ) -> None:
        self.general = general
        self.callers = callers
        self.own = own
        self.policy = RATE_LIMIT_POLICY, general.policy.declared.encode()

    def all(self) -> tuple[RateLimiter, ...]:
        """Return all limiters."""
        return self.general, *self.own.values()
