"""The policy of a rate limit, and the header fields that expose it: RateLimit and RateLimit-Policy, as structured
fields (draft-ietf-httpapi-ratelimit-headers).
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

RATE_LIMIT: Final = b"ratelimit"
RATE_LIMIT_POLICY: Final = b"ratelimit-policy"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A token bucket for each caller: `burst` units fit in, and `per_second` units flow in. `name` is a plain word."""

    name: str
    burst: int
    per_second: float

    @property
    def burst_seconds(self) -> float:
        """The time in which an empty bucket becomes full."""
        return self.burst / self.per_second

    @property
    def declared(self) -> str:
        """The policy as an item of RateLimit-Policy: its quota in units, and the seconds in which all of it returns."""
        return f'"{self.name}";q={self.burst};w={math.ceil(self.burst_seconds)}'


class RateLimitedError(Exception):
    """A request was refused before it began: its caller's bucket has too few units. `policy` is the policy's name, and
    after `retry_after` seconds there are enough.
    """

    def __init__(self, policy: str, retry_after: float) -> None:
        super().__init__(f"the limit of {policy} is reached")
        self.policy = policy
        self.retry_after = math.ceil(retry_after)
