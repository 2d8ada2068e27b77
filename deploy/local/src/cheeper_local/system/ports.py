"""TCP ports of 127.0.0.1."""

from __future__ import annotations

import random
import socket

from cheeper_local.errors import LocalError

HOST = "127.0.0.1"
# Below the range from which the system takes the ports of outgoing connections, so that none of those gets in between
# this choice and the server's bind.
_RANGE = range(20_000, 32_000)
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Check that a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(taken: set[int] | frozenset[int] = frozenset()) -> int:
    """Return a port that is free now and not in `taken`. Raises LocalError if none is found."""
    for _ in range(_ATTEMPTS):
        port = random.choice(_RANGE)  # noqa: S311 - no secret
        if port not in taken and is_free(port):
            return port
    raise LocalError(f"No free port was found on {HOST} between {_RANGE.start} and {_RANGE.stop}.")


def accepts_connections(port: int) -> bool:
    """Check that a process listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
