"""Starting and ending operating system processes so that none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

LEASH = Path(__file__).with_name("leash.py")


class User(NamedTuple):
    """An operating system user by number."""

    uid: int
    gid: int


def leashed(
    command: Sequence[str | Path], *, on_parent_death: signal.Signals = signal.SIGKILL, user: User | None = None
) -> list[str]:
    """Return the command line that runs `command` until it ends or this process does.

    The kernel watches the thread that starts it, so that thread must live as long as the command.
    """
    user_and_group = "-" if user is None else f"{user.uid}:{user.gid}"
    wrapper = [sys.executable, "-I", "-S", str(LEASH), str(int(on_parent_death)), str(os.getpid()), user_and_group]
    return wrapper + [str(part) for part in command]


def spawn(  # noqa: PLR0913 - each is a part of a process
    command: Sequence[str | Path],
    *,
    output: IO[bytes],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_parent_death: signal.Signals = signal.SIGTERM,
    user: User | None = None,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own (a Ctrl-C at the terminal reaches its parent alone), output to a file.

    It inherits the file descriptors of `keep_open`.
    """
    return subprocess.Popen(
        leashed(command, on_parent_death=on_parent_death, user=user),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=None if env is None else dict(env),
        cwd=cwd,
        pass_fds=keep_open,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], with_signal: signal.Signals, seconds: float) -> None:
    """Signal a process to end, and kill it after the seconds."""
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def unprivileged_user() -> User | None:
    """Return the user for programs that refuse to run as root: `nobody` if this process is root, else None."""
    if os.getuid() != 0:
        return None
    nobody = 65534
    return User(nobody, nobody)
