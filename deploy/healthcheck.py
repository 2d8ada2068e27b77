"""A container's health: the readiness of the process in it, so that healthy means usable.

Exits 0 where /health/ready answers 200, else 1 with the answer, which `docker inspect` then shows.
"""

import http.client
import os
import sys


def main() -> int:
    """The exit code of the check."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=2)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except OSError as error:
        sys.stdout.write(f"no answer: {error}\n")
        return 1
    sys.stdout.write(f"{answer.status} {text}\n")
    return 0 if answer.status == http.client.OK else 1


sys.exit(main())
