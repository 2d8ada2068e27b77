"""The check after any disturbance: every view equals the write model, and the audit finds no difference."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.http.client import Client
from cheeper_e2e.oracle.comparison import differences, report, wait_until_quiescent
from cheeper_e2e.oracle.write_model import WriteModel

_SHOWN_LINES: Final = 12


class Verification:
    """Compares what a traffic left in the stores that `environment` names. `say` gets a line for each step.

    Each wait ends after `patience` seconds.
    """

    def __init__(
        self,
        traffic: RandomTraffic,
        client: Client,
        environment: Mapping[str, str],
        *,
        patience: float,
        say: Callable[[str], object],
    ) -> None:
        self._traffic = traffic
        self._client = client
        self._environment = environment
        self._patience = patience
        self._say = say

    async def come_to_rest(self) -> None:
        """Wait until every view has what was sent. Raise TimeoutError or AssertionError."""
        traffic = self._traffic
        with self._write_model() as model:
            await wait_until_quiescent(self._client, model, traffic.sender, traffic.author_ids, self._patience)

    async def problems(self) -> list[str]:
        """Wait for rest, compare, and audit. Return a description of each thing that is wrong."""
        await self.come_to_rest()
        traffic, tag = self._traffic, self._traffic.scene.tag
        self._say(f"settled: {len(traffic.sender.sent):,} commands")
        searches = [tag, f"stras {tag}", f"chee {tag[:8]} gruss"]
        with self._write_model() as model:
            found = await differences(self._client, model, traffic.sender, traffic.author_ids, searches=searches)
        self._say(f"compared with the write model: {len(found)} authors differ")
        code, summary = await asyncio.to_thread(self._audit)
        self._say(f"audit: exit code {code}: {summary}")
        return [
            *([report(found, traffic.sender)] if found else []),
            *([f"the audit's exit code is {code}: {summary}"] if code else []),
        ]

    def _write_model(self) -> WriteModel:
        return WriteModel(self._environment["DATABASE_URL"])

    def _audit(self) -> tuple[int, str]:
        """Return the exit code and the last lines of the audit."""
        command = [sys.executable, "-m", "cheeper_audit", "--patience", str(self._patience)]
        environment = {**os.environ, **self._environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        lines = (done.stdout + done.stderr).strip().splitlines()
        return done.returncode, "\n".join(lines[-_SHOWN_LINES:])
