"""Run a command that cannot outlive its parent, as another user if need be.

Usage: `python -I -S leash.py SIGNAL PARENT_PID UID:GID|- COMMAND…`. The kernel sends SIGNAL once the parent has ended,
even by SIGKILL. A wrapper rather than a `preexec_fn`, because Python code between fork and exec is not safe in a
process with threads. The signal is requested after the change of user, because that change resets it.

It imports the standard library alone, so that it starts in a few milliseconds without the venv's packages.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_CANNOT_RUN = 126


def main(arguments: list[str]) -> None:
    """Replace this process by the command."""
    signal_number, parent, user, *command = arguments
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
    if os.getppid() != int(parent):  # it died before the request to the kernel
        sys.exit(_CANNOT_RUN)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"{command[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
