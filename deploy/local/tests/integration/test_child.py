from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from cheeper_local.runner.child import Child, Spec
from cheeper_local.runner.output import Output
from cheeper_local.waiting import eventually


@pytest.fixture
def output(tmp_path):
    made = Output(tmp_path / "logs", terminal=None)
    yield made
    made.close()


def child(output: Output, program: str, *, stop_seconds: float = 10) -> Child:
    return Child(
        Spec(name="it", role="it", command=[sys.executable, "-u", "-c", program], stop_seconds=stop_seconds), output
    )


async def test_lines_go_to_a_file_of_the_process_even_without_an_end(output, tmp_path):
    """The file has both streams, and also a last line without a newline."""
    code = await child(output, "import sys; print('one'); sys.stderr.write('two'); sys.exit(7)").run_once()
    assert code == 7
    assert (tmp_path / "logs" / "it.log").read_text() == "one\ntwo\n"


async def test_a_process_that_keeps_dying_is_restarted_with_growing_pauses(output, tmp_path):
    """The pause before a restart doubles, so that a broken process does not load the machine."""
    dying = child(output, "raise SystemExit(3)")
    dying.start()
    await eventually(lambda: dying.restarts >= 3)
    await dying.stop()
    lines = (tmp_path / "logs" / "cheeper.log").read_text().splitlines()
    assert lines[:3] == [f"it: died (exit code 3); restarting in {pause} s" for pause in ("0.25", "0.5", "1")]
    assert dying.pid is None


async def test_stop_sends_a_signal_first_and_then_kills(output, tmp_path):
    """A process that ignores SIGTERM is killed after its time, and the runner logs it."""
    stubborn = child(
        output,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)",
        stop_seconds=0.5,
    )
    stubborn.start()
    await eventually(lambda: stubborn.last_line == "up")
    pid = stubborn.pid
    await stubborn.stop()
    assert stubborn.last_code == -signal.SIGKILL
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110, ASYNC240 - a look at the kernel's list
    assert "did not end within 0.5 s" in (tmp_path / "logs" / "cheeper.log").read_text()


async def test_a_stop_during_the_pause_before_a_new_start_ends_it(output):
    """No process starts after `stop` has returned."""
    dying = child(output, "raise SystemExit(1)")
    dying.start()
    await eventually(lambda: dying.restarts == 1)
    await dying.stop()
    assert (dying.pid, dying.wanted) == (None, False)


async def test_a_killed_process_is_wanted_still(output):
    """A process that `kill` ended is restarted."""
    sleeper = child(output, "import time; print('up'); time.sleep(60)")
    sleeper.start()
    await eventually(lambda: sleeper.last_line == "up")
    killed = sleeper.kill()
    await eventually(lambda: sleeper.restarts == 1 and sleeper.pid not in (None, killed))
    await sleeper.stop()


async def test_a_signal_that_comes_too_late_does_not_hide_how_it_ended(output):
    """A signal to a process that has just died leaves its exit code as it is, and not 255.

    This fails with asyncio's `send_signal`, which may take the code from the waiting task.
    """
    for _ in range(10):
        dying = child(output, "import time; print('up'); time.sleep(60)")
        running = asyncio.create_task(dying.run_once())
        await eventually(lambda dying=dying: dying.last_line == "up")
        os.kill(dying.pid, signal.SIGKILL)
        for _ in range(2_000):  # without a pause, so that the loop has not seen the end yet
            dying.thaw()
        assert await running == -signal.SIGKILL
