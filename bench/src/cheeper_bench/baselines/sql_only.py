"""The SQL-only variant as its users would run it: two processes behind the same gateway, over the write model alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import psycopg

from cheeper_bench.baselines import apps
from cheeper_bench.environment import cores, seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph
from cheeper_contracts.http.routes import TIMELINE
from cheeper_local.runner import roles
from cheeper_local.system.ports import HOST

_PROCESSES: Final = 2
_BUFFERS: Final = "128MB"


class SqlOnly(NamedTuple):
    """A variant that runs: the gateway's port, the size of its data over that of PostgreSQL's buffers, and the CPU
    seconds of its processes by name.
    """

    port: int
    fill: float
    cpu: Callable[[], dict[str, float]]


def start(environment: Environment, world: Graph, *, buffers: str = _BUFFERS) -> SqlOnly:
    """Start one with the graph in it, on all cores, over a PostgreSQL of its own with these buffers."""
    everywhere = environment.cores.all
    server = environment.another_postgres(f"sql-{buffers}", {"shared_buffers": buffers})
    cores.pin(server.pid or 0, everywhere)  # as that of the stack
    database = environment.database(f"{buffers}.", server=server.url)
    seeding.copy_write_model(database, world)
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in apps.INDEXES:
            connection.execute(statement)
        row = connection.execute(
            "SELECT pg_database_size(current_database())::float / pg_size_bytes(current_setting('shared_buffers'))"
        ).fetchone()
    ready = TIMELINE.path.replace("{author_id}", world.author_id(0))
    processes = [
        environment.start("cheeper_bench.baselines.apps", "sql", env={"DATABASE_URL": database}, cpus=everywhere)
        for _ in range(_PROCESSES)
    ]
    for process in processes:
        process.wait_ready(ready)
    upstreams = " ".join(f"{HOST}:{process.port}" for process in processes)
    gateway = environment.start_command(
        roles.real_commands()[roles.GATEWAY],
        env={"READ_API": upstreams, "WRITE_API": upstreams, "XDG_DATA_HOME": str(environment.folder)},
        cpus=everywhere,
    )
    gateway.wait_ready(ready)

    def cpu() -> dict[str, float]:
        return {
            "gateway": gateway.cpu_seconds,
            "application": sum(process.cpu_seconds for process in processes),
            "postgres": cores.cpu_seconds(server.pid or 0),
        }

    return SqlOnly(gateway.port, float(row[0]) if row else 0.0, cpu)
