"""The processes of the system, as each one's readiness shows them."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from cheeper_contracts.http.routes import HEALTH_READY
from inspector.system.state import Process

SECONDS: Final = 2.0
"""The time in which a process must respond."""
_AT_ONCE: Final = 16
_MOST_REPLICAS: Final = 64
_LARGEST: Final = 64 * 1024


class _Need(msgspec.Struct, frozen=True):
    ok: bool
    why: str | None = None


class _Health(msgspec.Struct, frozen=True):
    data: dict[str, _Need]


def read_processes(addresses: Mapping[str, Sequence[str]]) -> tuple[Process, ...]:
    """Return the processes, all asked at the same time: one that does not respond lacks that."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        replicas = pool.map(lambda pair: (pair[0], list(_resolved(pair[1]))), addresses.items())
        asked = [
            (role if len(found) == 1 else f"{role}-{number}", role, pool.submit(_lacks, *address))
            for role, found in replicas
            for number, address in enumerate(found, start=1)
        ]
        return tuple(Process(name=name, role=role, lacks=lacks.result()) for name, role, lacks in asked)


def _resolved(urls: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the addresses of a role's processes; a name that is unknown remains one process, which does not respond."""
    for url in urls:
        parts = urlsplit(url)
        host, port = str(parts.hostname), int(parts.port or 0)
        try:
            found = sorted({str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
        except OSError:
            found = [host]
        yield from ((address, port) for address in found[:_MOST_REPLICAS])


def _lacks(host: str, port: int) -> tuple[str, ...] | None:
    connection = HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", HEALTH_READY)
        response = connection.getresponse()
        text = response.read(_LARGEST)
    except (OSError, HTTPException):
        return ("It does not respond",)
    finally:
        connection.close()
    return lacks_of(response.status, text)


def lacks_of(status: int, text: bytes) -> tuple[str, ...] | None:
    """Return what a page of readiness says that the process lacks, or None if it lacks nothing."""
    try:
        needs: dict[str, Any] = msgspec.json.decode(text, type=_Health).data
    except msgspec.DecodeError:
        return (f"Its readiness cannot be read: status {status}",)
    lacks = tuple(f"{name}: {need.why or 'not met'}" for name, need in needs.items() if not need.ok)
    return lacks or None
