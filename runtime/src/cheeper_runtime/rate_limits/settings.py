"""The settings of rate limits, which each service with an HTTP side inherits, and the limits that follow from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec

from cheeper_runtime.rate_limits.callers import LOOPBACK, Callers, Networks
from cheeper_runtime.rate_limits.limiter import RateLimiter
from cheeper_runtime.rate_limits.limits import RateLimits
from cheeper_runtime.rate_limits.policy import Policy
from cheeper_runtime.servers.urls import redis_url
from cheeper_runtime.settings import Parser
from cheeper_runtime.tokens.bearer import Mode

_MINUTE: Final = 60


class RateLimitSettings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """Each caller has a bucket of `limit_burst` units, into which `limit_per_minute` units flow. `limits` is on, off,
    or auto: on if callers show tokens. The replicas share the buckets in the Valkey at `limits_url`, if that is set.
    The address of a client is believed from a gateway in `gateway_networks`.
    """

    limits: Literal["auto", "on", "off"] = "auto"
    limits_url: Annotated[str | None, Parser(redis_url)] = None
    limit_burst: Annotated[int, msgspec.Meta(ge=100, le=1_000_000)] = 600
    limit_per_minute: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 1_200
    gateway_networks: Networks = LOOPBACK


def rate_limits_of(
    settings: RateLimitSettings, auth: Mode, client_header: str, own: Iterable[Policy] = ()
) -> RateLimits | None:
    """Return the limits, None if they are off. `client_header` is the gateway's header with the client's address, `own`
    are the policies beside the general one.
    """
    if settings.limits == "off" or (settings.limits == "auto" and auth == "open"):
        return None
    general = Policy(name="default", burst=settings.limit_burst, per_second=settings.limit_per_minute / _MINUTE)
    return RateLimits(
        RateLimiter(general),
        Callers(settings.gateway_networks, client_header.lower().encode()),
        {policy.name: RateLimiter(policy) for policy in own},
    )
