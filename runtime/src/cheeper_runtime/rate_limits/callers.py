"""The caller of a request, as limits count callers: the actor of its token, or else the address of its client.

The client's address is the one that the gateway passes on in a header of its own, which overwrites what a client sent.
A request that did not come from the gateway counts for the address that it came from, whatever its headers are.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Final

from cheeper_runtime.settings import Parser

Network = IPv4Network | IPv6Network
_CLIENTS_PREFIX: Final = 64
"""One client has all addresses of an IPv6 network of this size."""
_UNKNOWN: Final = "unknown"


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ValueError("must be networks such as 127.0.0.0/8 fd00::/8, separated by spaces") from None


Networks = Annotated[tuple[Network, ...], Parser(_networks)]
"""The type of a setting: networks, separated by spaces or commas."""
LOOPBACK: Final = _networks("127.0.0.0/8 ::1/128")


class Callers:
    """Finds the caller of requests that came through a gateway in one of these networks. `header` is the name of the
    header with the client's address, in lower case.
    """

    def __init__(self, gateways: tuple[Network, ...], header: bytes) -> None:
        self._gateways = gateways
        self._header = header
        self._is_gateway = lru_cache(maxsize=1_000)(self._is_in_gateways)

    def client(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the client of a request from `peer`, the other end of its connection, whoever its caller is."""
        if peer is not None and self._is_gateway(peer):
            for name, value in headers:
                if name == self._header:
                    return _client_at(value)
        return _client_at((peer or "").encode())

    def _is_in_gateways(self, peer: str) -> bool:
        try:
            address = _plain(peer)
        except ValueError:
            return False
        return any(address in network for network in self._gateways)


@lru_cache(maxsize=10_000)
def _client_at(text: bytes) -> str:
    try:
        address = _plain(text.decode("latin-1"))
    except ValueError:
        return f"client {_UNKNOWN}"
    if isinstance(address, IPv6Address):
        return f"client {ip_network((address, _CLIENTS_PREFIX), strict=False)}"
    return f"client {address}"


def _plain(text: str) -> IPv4Address | IPv6Address:
    """Return the address, an IPv4 one if it is one that is written as IPv6. Raise ValueError."""
    address = ip_address(text.partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
