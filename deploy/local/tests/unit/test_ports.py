from __future__ import annotations

import socket

import pytest

from cheeper_local.errors import LocalError
from cheeper_local.system import ports


def test_a_port_with_a_listener_is_not_free():
    """A listener on this address or on all takes the port."""
    for address in ("127.0.0.1", ""):
        with socket.socket() as listener:
            listener.bind((address, 0))
            listener.listen()
            assert not ports.is_free(listener.getsockname()[1])
            assert ports.accepts_connections(listener.getsockname()[1])


def test_a_taken_port_is_never_chosen():
    """Two servers that start at the same time get different ports."""
    chosen: set[int] = set()
    for _ in range(100):
        chosen.add(ports.free_port(chosen))
    assert len(chosen) == 100


def test_no_free_port_is_a_sentence():
    """The search for a port ends with an error if there is none."""
    with pytest.raises(LocalError, match="No free port"):
        ports.free_port(set(range(65_536)))
