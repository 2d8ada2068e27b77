from __future__ import annotations

import socket

import pytest

from cheeper_local import ports
from cheeper_local.errors import LocalError


def test_a_port_with_a_listener_is_not_free():
    """Whether on this address or on all."""
    for address in ("127.0.0.1", ""):
        with socket.socket() as listener:
            listener.bind((address, 0))
            listener.listen()
            assert not ports.is_free(listener.getsockname()[1])
            assert ports.accepts_connections(listener.getsockname()[1])


def test_a_taken_port_is_never_chosen():
    """Two servers that start together get different ports."""
    chosen: set[int] = set()
    for _ in range(100):
        chosen.add(ports.free_port(chosen))
    assert len(chosen) == 100


def test_no_free_port_is_a_sentence():
    """Rather than an endless search."""
    with pytest.raises(LocalError, match="No free port"):
        ports.free_port(set(range(65_536)))
