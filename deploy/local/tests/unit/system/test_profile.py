import subprocess
import sys

import pytest

from cheeper_local.errors import LocalError
from cheeper_local.system.profile import flame_graph

BUSY = """
def busy_for_a_while():
    while True:
        sum(range(1000))

print("begun", flush=True)
busy_for_a_while()
"""


def test_the_graph_names_what_a_process_does(tmp_path):
    """The function in which the process spends its time is in the graph, and the process goes on."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"begun\n"
            flame_graph(process.pid, 1, tmp_path / "profiles" / "busy.svg")
            assert process.poll() is None
        finally:
            process.kill()
    assert "busy_for_a_while" in (tmp_path / "profiles" / "busy.svg").read_text()


def test_a_process_that_is_gone_is_an_error(tmp_path):
    """The error says so in a sentence, and no traceback."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with pytest.raises(LocalError, match=f"py-spy could not sample process {process.pid}"):
        flame_graph(process.pid, 1, tmp_path / "none.svg")
