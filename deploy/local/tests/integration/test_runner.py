from __future__ import annotations

import json
import os
import signal
import stat
from itertools import pairwise
from pathlib import Path

import pytest
import redis

from cheeper_local.waiting import until

ORDER = [{"gateway"}, {"write-api", "read-api"}, {"worker"}, {"relay"}, {"process-manager", "projector"}]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def process_state(pid: int) -> str:
    """Return the kernel's letter for the state of a process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_ctrl_c_ends_http_first_and_then_along_the_way_of_a_command(tiny_stack):
    """On SIGINT all processes end in order, with exit code 0, and none is left."""
    process = tiny_stack.start(READ_API_REPLICAS="2")
    tiny_stack.ready()
    pids = tiny_stack.pids()
    output, errors = tiny_stack.end(signal.SIGINT)
    assert (process.returncode, errors) == (0, "")
    assert f"http://127.0.0.1:{tiny_stack.port}" in output
    assert "read-api-2      | read-api is up" in output
    noted = tiny_stack.notes.read_text().split()
    assert sorted(noted) == sorted([*(role for step in ORDER for role in step), "read-api"])
    step = [next(number for number, roles in enumerate(ORDER) if role in roles) for role in noted]
    assert all(earlier <= later for earlier, later in pairwise(step))
    assert not any(map(is_alive, pids))
    assert tiny_stack.has_ended()


def test_nothing_outlives_a_runner_that_was_killed(tiny_stack):
    """SIGKILL of the runner ends every role and server too, and the folder can be used again."""
    tiny_stack.start()
    tiny_stack.ready()
    pids = tiny_stack.pids()
    tiny_stack.end(signal.SIGKILL)
    until(tiny_stack.has_ended)
    until(lambda: not any(map(is_alive, pids)))
    tiny_stack.start()
    assert tiny_stack.ready().state["state"] == "ready"


def test_a_process_that_died_is_restarted_and_the_runner_logs_it(running_stack):
    """Kill -9 of a role brings it back under a new pid, and the runner logs both."""
    stack = running_stack.ready()
    restarts = stack.processes()["worker"]["restarts"]
    (killed,) = stack.kill("worker")
    until(lambda: stack.processes()["worker"]["pid"] not in (killed, None))
    assert stack.processes()["worker"]["restarts"] == restarts + 1
    stack.wait_ready()
    assert "worker: died (by SIGKILL); restarting in 0.25 s" in (stack.logs / "cheeper.log").read_text()


def test_a_server_that_died_is_restarted(running_stack):
    """A server that died comes back by itself; one that was stopped stays so until it is started."""
    stack = running_stack.ready()
    killed = stack.state["servers"]["redis"]["pid"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: stack.state["servers"]["redis"]["pid"] not in (killed, None))
    stack.server("redis", "stop")
    assert stack.state["servers"]["redis"]["pid"] is None
    stack.server("redis", "start")
    assert stack.state["servers"]["redis"]["pid"] is not None


@pytest.mark.extended
def test_a_frozen_process_does_nothing_until_it_is_thawed(running_stack):
    """A frozen process keeps its pid, responds to nothing, and is stopped in order even so."""
    stack = running_stack.ready()
    pid = stack.processes()["worker"]["pid"]
    stack.freeze("worker")
    until(lambda: process_state(pid) == "T")
    stack.thaw("worker")
    until(lambda: process_state(pid) == "S")
    assert stack.processes()["worker"]["pid"] == pid
    stack.freeze("worker")
    before = running_stack.notes.read_text().count("worker")
    stack.stop_process("worker")
    assert running_stack.notes.read_text().count("worker") == before + 1
    stack.start_process("worker")
    stack.wait_ready()


@pytest.mark.extended
def test_a_server_goes_back_to_an_older_copy_of_its_data(running_stack):
    """A stopped server that was saved has the same data after it is restored."""
    stack = running_stack.ready()
    with redis.Redis.from_url(stack.environment["REDIS_URL"]) as client:
        for value, then in (("old", "save"), ("new", "restore")):
            client.set("a", value)
            stack.server("redis", "stop")
            stack.server("redis", then)
            stack.server("redis", "start")
            assert client.get("a") == b"old"


@pytest.mark.extended
def test_a_wiped_broker_is_migrated_when_it_starts_again(running_stack):
    """Starting the broker runs migrate, which makes the topics that were wiped."""
    stack = running_stack.ready()
    log = stack.logs / "migrate.log"
    before = log.read_text().count("migrate ran")
    stack.server("kafka", "wipe")
    stack.server("kafka", "start")
    assert log.read_text().count("migrate ran") == before + 1


@pytest.mark.extended
def test_a_role_that_was_stopped_stays_so_until_it_is_started(running_stack):
    """A role that was stopped does not run until it is started."""
    stack = running_stack.ready()
    stack.stop_process("relay")
    assert stack.processes()["relay"]["pid"] is None
    stack.start_process("relay")
    stack.wait_ready()
    assert stack.processes()["relay"]["pid"] is not None


@pytest.mark.extended
def test_empty_restarts_every_role_but_the_gateway(running_stack):
    """Empty stores are served by new processes; only the gateway keeps its own."""
    stack = running_stack.ready()
    before = stack.processes()
    stack.empty()
    after = stack.processes()
    same = {name for name in before if before[name]["pid"] == after[name]["pid"]}
    assert same == {"gateway"}


@pytest.mark.extended
def test_step_mode_leaves_out_the_demos_own_processes(tiny_stack):
    """STEP=1 starts servers, both HTTP roles and the gateway, and no process that handles messages."""
    tiny_stack.start(STEP="1")
    assert set(tiny_stack.ready().processes()) == {"write-api", "read-api", "gateway"}


def test_the_state_file_is_its_owners_alone(running_stack):
    """The state file contains passwords and is readable by its owner only; no log contains one."""
    stack = running_stack.ready()
    assert stat.S_IMODE((running_stack.data / "stack.json").stat().st_mode) == 0o600
    password = (running_stack.data / "postgres" / "password").read_text()
    assert password in json.dumps(stack.environment)
    assert not any(password in log.read_text() for log in stack.logs.iterdir())


@pytest.mark.extended
def test_a_second_stack_in_the_same_folder_is_refused(running_stack):
    """One folder holds one stack, and the refusal leaves the first alone."""
    second = type(running_stack)(running_stack.data.parent)
    _, complaint = second.start().communicate(timeout=60)
    assert (second.process.returncode, complaint.strip()) == (
        1,
        f"A stack runs from {running_stack.data} already: `make stop` stops it.",
    )
    assert running_stack.ready().state["state"] == "ready"


def test_a_gateway_port_in_use_ends_the_start_with_one_sentence(tiny_stack, occupied_port):
    """A port in use gives exit code 1 and one sentence, and leaves no process."""
    process = tiny_stack.start(PORT=str(occupied_port))
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complaint.startswith(f"Port {occupied_port} is in use")
    assert complaint.count("\n") == 1
    assert tiny_stack.has_ended()


@pytest.mark.extended
def test_a_failing_migration_ends_the_start_with_one_sentence(tiny_stack):
    """A failed migration stops all that was started before."""
    process = tiny_stack.start("3")
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (1, "write-api migrate failed (exit code 3): migrate ran\n")
    assert tiny_stack.has_ended()


def test_a_folder_that_cannot_be_written_ends_the_start_with_one_sentence(tiny_stack):
    """A folder that cannot be written ends the start with one sentence."""
    tiny_stack.data.write_text("a file is in its place")
    process = tiny_stack.start()
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complaint.startswith(f"The data folder {tiny_stack.data} cannot be written")
