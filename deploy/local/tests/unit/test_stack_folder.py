from __future__ import annotations

import socket
import stat

import pytest

from cheeper_local.errors import LocalError
from cheeper_local.stack_folder import StackFolder


@pytest.fixture
def folder(tmp_path):
    made = StackFolder(tmp_path / "data")
    made.make()
    return made


def test_ports_stay_the_same_while_they_are_free(folder):
    """A restart finds its servers where they were; a port that was taken meanwhile is replaced."""
    first = folder.ports(["postgres", "redis"])
    assert folder.ports(["postgres", "redis"]) == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first["redis"]))
        other.listen()
        second = folder.ports(["postgres", "redis", "mongo"])
    assert second["postgres"] == first["postgres"]
    assert len({*second.values(), first["redis"]}) == 4


def test_a_folder_is_held_by_one(folder):
    """A second stack is refused, and the folder is free again after the first."""
    with folder.held():
        assert folder.is_in_use()
        with pytest.raises(LocalError, match="runs from"), StackFolder(folder.path).held():
            pass
    assert not folder.is_in_use(by_anything=True)


def test_the_state_of_a_stopped_stack_is_none(folder):
    """The state file of a killed runner is ignored."""
    with folder.held():
        folder.write_state({"pid": 1})
        assert folder.read_state() == {"pid": 1}
        assert stat.S_IMODE(folder.state_file.stat().st_mode) == 0o600
    assert folder.state_file.exists()
    assert folder.read_state() is None


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    """A data folder that cannot be made is an error with the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match=r"^The data folder .* cannot be written: Not a directory\.$"):
        StackFolder(tmp_path / "file" / "data").make()
