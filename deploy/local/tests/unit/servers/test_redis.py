import os
import re
import subprocess
from pathlib import Path

import pytest

from cheeper_local.servers.redis import RateLimitStore, Redis, memory

COMPOSE = Path(__file__).parents[5] / "docker-compose.yaml"
MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(("limit", "expected"), [("1048576\n", 1_048_576), ("max\n", MACHINE), (None, MACHINE)])
def test_the_memory_is_the_containers_or_the_machines(tmp_path, limit, expected):
    """A container without a limit, or no container, has all of the machine's."""
    file = tmp_path / "memory.max"
    if limit is not None:
        file.write_text(limit)
    assert memory(file) == expected


def test_only_the_store_of_limits_may_evict(tmp_path):
    """The views are kept on disk and never evicted; what callers have used is neither."""
    views, limits = Redis(tmp_path).settings(), RateLimitStore(tmp_path).settings()
    assert (views["maxmemory-policy"], views["appendonly"]) == ("noeviction", "yes")
    assert (limits["maxmemory-policy"], limits["appendonly"]) == ("allkeys-lru", "no")


def test_compose_limits_redis_below_its_container(tmp_path):
    """The command of docker-compose.yaml, with another program in Redis's place, is run in a shell."""
    (tmp_path / "memory.max").write_text("1073741824\n")
    [command] = re.findall(r"exec docker-entrypoint.sh redis-server .*\n.*", COMPOSE.read_text())
    command = (
        command.replace("$$", "$")
        .replace("/sys/fs/cgroup", str(tmp_path))
        .replace("exec docker-entrypoint.sh redis-server", "echo")
    )
    shown = subprocess.run(["sh", "-c", " ".join(command.split())], capture_output=True, text=True, check=True)  # noqa: S607 - our own file
    assert shown.stdout.split()[-2:] == ["--maxmemory", str(1_073_741_824 * 3 // 4)]
    assert "--maxmemory-policy noeviction" in shown.stdout
    assert "mem_limit: ${REDIS_MEMORY:-1g}" in COMPOSE.read_text()
