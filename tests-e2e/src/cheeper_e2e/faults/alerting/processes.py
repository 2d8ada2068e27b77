"""Faults of processes: one is missing, one leaks memory, one dies again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from cheeper_e2e.faults.alerting.scene import Scene

_LEAKING: Final = "read_api"  # the name of the module that the process runs
_RESTARTED: Final = "process-manager"


@contextmanager
def leak(scene: Scene) -> Iterator[None]:
    """Read-api keeps 450 MiB for nothing. The repair frees them."""
    scene.leak.write_text(_LEAKING)
    yield
    scene.leak.unlink()


@contextmanager
def restarts(scene: Scene) -> Iterator[None]:
    """The process manager is killed as soon as it runs, again and again. The repair lets it live."""

    def started() -> str | None:
        found = scene.prometheus.query(f'process_start_time_seconds{{process="{_RESTARTED}"}}')
        return found[0]["value"][1] if found else None

    def kill_it(killed: set[str | None]) -> None:
        start = started()
        if start not in killed:
            killed.add(start)
            scene.stack.kill(_RESTARTED)

    with scene.usage.repeat(partial(kill_it, {None})):
        yield


@contextmanager
def no_projector(scene: Scene) -> Iterator[None]:
    """The projector is stopped, and clients read what they wrote. The repair starts it."""
    scene.stack.stop_process("projector")
    follow = {"from_author_id": scene.usage.sign_up().author_id, "to_author_id": scene.usage.author.author_id}
    message_id = scene.usage.accepted("POST", "/follow", follow)
    with scene.usage.repeat(lambda: scene.usage.read_after(message_id)):
        yield
    scene.stack.start_process("projector")
