# ruff: noqa: INP001 - a script that is copied into the images by itself
"""A container's health: the readiness of the process in it, so that healthy means usable.

Exit with 0 if /health/ready responds with 200, else with 1; `docker inspect` shows the response. It uses a plain
socket, because every container runs this every few seconds and http.client costs three times the processor time.
"""

import os
import socket
import sys

REQUEST = b"GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n"


def main() -> int:
    """The exit code of the check."""
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=2) as connection:
            connection.sendall(REQUEST)
            answer = connection.makefile("rb").read().decode(errors="replace")
    except OSError as error:
        answer = f"no answer: {error}"
    head, _, body = answer.partition("\r\n\r\n")
    status = head.partition("\r\n")[0]
    sys.stdout.write(f"{status} {body}\n")
    return 0 if status.startswith("HTTP/1.") and " 200 " in status else 1


sys.exit(main())
