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
    """Both streams, and a last line that no newline ends."""
    code = await child(output, "import sys; print('one'); sys.stderr.write('two'); sys.exit(7)").run_once()
    assert code == 7
    assert (tmp_path / "logs" / "it.log").read_text() == "one\ntwo\n"


async def test_a_process_that_keeps_dying_is_started_again_with_growing_pauses(output, tmp_path):
    """The pause doubles, so that a broken process does not eat the machine."""
    dying = child(output, "raise SystemExit(3)")
    dying.start()
    await eventually(lambda: dying.restarts >= 3, 20)
    await dying.stop()
    said = (tmp_path / "logs" / "cheeper.log").read_text().splitlines()
    assert said[:3] == [f"it died (exit code 3); it is started again in {pause} s." for pause in ("0.25", "0.5", "1")]
    assert dying.pid is None


async def test_stop_asks_first_and_then_ends_by_force(output, tmp_path):
    """A process that ignores SIGTERM is killed after its time, and the runner says so."""
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
    """Nothing starts after `stop` has come back."""
    dying = child(output, "raise SystemExit(1)")
    dying.start()
    await eventually(lambda: dying.restarts == 1)
    await dying.stop()
    assert (dying.pid, dying.wanted) == (None, False)


async def test_a_killed_process_is_wanted_still(output):
    """`kill` is a crash, not a stop."""
    sleeper = child(output, "import time; print('up'); time.sleep(60)")
    sleeper.start()
    await eventually(lambda: sleeper.last_line == "up")
    killed = sleeper.kill()
    await eventually(lambda: sleeper.restarts == 1 and sleeper.pid not in (None, killed))
    await sleeper.stop()


async def test_a_signal_that_comes_too_late_does_not_hide_how_it_ended(output):
    """Whatever is sent to a process that has just died, its exit code is its own, and not 255.

    Breaks where asyncio's `send_signal` is used: it may take the code from under whoever waits for it.
    """
    for _ in range(10):
        dying = child(output, "import time; print('up'); time.sleep(60)")
        running = asyncio.create_task(dying.run_once())
        await eventually(lambda dying=dying: dying.last_line == "up")
        os.kill(dying.pid, signal.SIGKILL)
        for _ in range(2_000):  # without a pause: the loop does not hear of the end before
            dying.thaw()
        assert await running == -signal.SIGKILL
