"""A proof of alerts: each fires while its fault lasts, and clears after the repair."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from cheeper_e2e.faults.alerting.faults import OF_SPEED, Fault, Stage
from cheeper_e2e.faults.alerting.scene import Scene


class Proofs:
    """The faults of a stack, in threads.

    `fired` has the seconds from the beginning of a fault until each of its alerts fired, `cleared` those from the
    beginning of the repair until it was clear.
    """

    def __init__(self, scene: Scene) -> None:
        self.fired: dict[str, float] = {}
        self.cleared: dict[str, float] = {}
        self._scene = scene
        self._threads = ThreadPoolExecutor(32, "alert")
        self._pending: list[Future[None]] = []

    def prove(self, stage: Stage) -> None:
        """Cause and repair the faults of a stage while the stack is used, and wait until all alerts are clear.

        The alerts of the objectives clear at the latest when nobody uses the stack, however slow the machine is.
        """
        with self._scene.usage.goes_on():
            for fault in stage.first:
                self._pending.append(self._threads.submit(self._finish, fault, *self._cause(fault)))
            for lane in [self._threads.submit(self._one_by_one, lane) for lane in stage.lanes]:
                lane.result()
        while self._pending:
            self._pending.pop(0).result()

    def _one_by_one(self, lane: Sequence[Fault]) -> None:
        for fault in lane:
            self._finish(fault, *self._cause(fault))

    def _cause(self, fault: Fault) -> tuple[ExitStack, float]:
        self._scene.prometheus.until_clear(fault.alerts - OF_SPEED)  # what an earlier fault has left
        caused, began = ExitStack(), time.monotonic()
        caused.enter_context(fault.cause(self._scene))
        return caused, time.monotonic() - began

    def _finish(self, fault: Fault, caused: ExitStack, took: float) -> None:
        with caused:
            fired = self._scene.prometheus.until_fired(fault.alerts)
            began = time.monotonic()
        repairing = time.monotonic() - began
        self.fired |= {alert: took + seconds for alert, seconds in fired.items()}
        self._pending.append(self._threads.submit(self._watch, fault, repairing))

    def _watch(self, fault: Fault, repairing: float) -> None:
        cleared = self._scene.prometheus.until_clear(fault.alerts)
        self.cleared |= {alert: repairing + seconds for alert, seconds in cleared.items()}
