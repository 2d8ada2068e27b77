from __future__ import annotations

import socket
import subprocess
import sys

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


def test_a_port_is_never_chosen_twice():
    """Two servers of a process get different ports, also while neither of them listens."""
    assert len({ports.free_port() for _ in range(100)}) == 100


def test_no_other_process_gets_a_reserved_port(tmp_path):
    """A port stays reserved while nothing listens on it, until its process ends, even by a kill."""
    port = ports.free_port()
    script = (
        "import sys, pathlib; from cheeper_local.system.ports import Reservations;"
        "print(Reservations(pathlib.Path(sys.argv[1])).reserve(int(sys.argv[2])), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, tmp_path / "ports", str(port)]
    ours = ports.Reservations(tmp_path / "ports")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not ours.reserve(port)
        other.kill()
        other.wait()
    assert ours.reserve(port)
    assert ours.reserve(port)


def test_a_port_in_use_is_not_reserved(tmp_path):
    """A port on which something listens is no port for a server."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not ports.Reservations(tmp_path / "ports").reserve(listener.getsockname()[1])


def test_no_free_port_is_a_sentence():
    """The search for a port ends with an error if there is none."""
    with pytest.raises(LocalError, match="No free port"):
        ports.free_port(set(range(65_536)))
