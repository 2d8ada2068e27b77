"""The gateway's connections to the services that were idle before a request."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cheeper_local.runner.roles import CADDYFILE, caddy


def transports(found: Any) -> Iterator[dict[str, Any]]:
    """Yield the settings of each way to a service that bounds its reads."""
    if isinstance(found, dict) and "response_header_timeout" in found and "read_timeout" in found:
        yield found
    elif isinstance(found, dict | list):
        for each in found.values() if isinstance(found, dict) else found:
            yield from transports(each)


def test_a_connection_that_was_idle_leaves_a_response_its_whole_time():
    """The bound of a read, which begins when a connection becomes idle, outlasts that and the wait for a response."""
    command = [str(caddy().path), "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    adapted = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(CADDYFILE).parent)
    ways = list(transports(json.loads(adapted.stdout)))
    assert ways
    for way in ways:
        kept = way["keep_alive"].get("idle_timeout", 0)
        assert way["keep_alive"].get("enabled", True) is (kept > 0)
        assert way["read_timeout"] > kept + way["response_header_timeout"]
