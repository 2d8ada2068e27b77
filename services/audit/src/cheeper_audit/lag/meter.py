"""The lag of the views under load, in sequences and in seconds, and whether it is within their objectives."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from cheeper_audit.checkpoints import Checkpoints
from cheeper_audit.difference import StoreName
from cheeper_audit.views.table import SWEEPS

_KEPT: Final = 20_000
_REPORTED_EVERY_SECONDS: Final = 5.0


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """The lag of one store: the messages that it has not applied, and the age of the first of them in seconds.

    `late` are the views whose objective is exceeded.
    """

    store: StoreName
    sequences: int
    seconds: float
    late: tuple[str, ...]

    @property
    def line(self) -> str:
        """The lag for people."""
        verdict = f"beyond the objective of {', '.join(self.late)}" if self.late else "within the objectives"
        return f"{self.store} {self.sequences:,} sequences behind, {self.seconds:.1f} s, {verdict}"


def late(store: StoreName, seconds: float) -> tuple[str, ...]:
    """Return the views of a store whose objective a lag exceeds."""
    objectives = {view.name: view.lag_ms for sweep in SWEEPS for view in sweep.views if view.store == store}
    return tuple(name for name, lag_ms in objectives.items() if lag_ms is not None and seconds * 1_000 > lag_ms)


class LagMeter:
    """Measures lag in seconds: it remembers when the relay had which sequences.

    It is as exact as it is called often. The age of what waits for the relay itself comes from the outbox.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, dict[int, int]]] = deque(maxlen=_KEPT)

    def measure(self, now: float, where: Checkpoints) -> list[Lag]:
        """Return the lag of each store; `now` is in seconds of any clock that runs evenly."""
        sent = where.relayed.sequences
        if not self._seen or self._seen[-1][1] != sent:
            self._seen.append((now, sent))
        lags = [
            self._lag(now, where, store, {p: state.sequences[p] for p in sent}) for store, state in where.stores.items()
        ]
        self._forget(where)
        return lags

    def _lag(self, now: float, where: Checkpoints, store: StoreName, applied: dict[int, int]) -> Lag:
        sent = where.relayed.sequences
        since = next((at for at, then in self._seen if any(then[p] > applied[p] for p in then)), now)
        seconds = max(now - since, where.relayed.seconds)
        return Lag(
            store=store,
            sequences=sum(max(0, sent[p] - applied[p]) for p in sent) + where.relayed.waiting,
            seconds=seconds,
            late=late(store, seconds),
        )

    def _forget(self, where: Checkpoints) -> None:
        """Forget what all stores have reached."""
        slowest = {p: min(state.sequences[p] for state in where.stores.values()) for p in where.relayed.sequences}
        while len(self._seen) > 1 and all(self._seen[0][1][p] <= slowest[p] for p in slowest):
            self._seen.popleft()


class Worst:
    """Sums up the lags of some seconds in one sentence, with the longest of each store."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._lags: dict[StoreName, Lag] = {}
        self._tasks = 0

    def add(self, now: float, lags: Iterable[Lag], tasks: int) -> str | None:
        """Add lags, and return the sentence if it is due. `tasks` is the number of waiting turns of fan-out tasks."""
        if self._since is None:
            self._since = now
        for lag in lags:
            before = self._lags.get(lag.store)
            if before is None or (lag.seconds, lag.sequences) >= (before.seconds, before.sequences):
                self._lags[lag.store] = lag
        self._tasks = max(self._tasks, tasks)
        if now - self._since < _REPORTED_EVERY_SECONDS:
            return None
        waiting = f"; {self._tasks:,} turns of fan-out tasks waited" if self._tasks else ""
        sentence = "At worst " + "; ".join(lag.line for lag in self._lags.values()) + waiting
        self._since, self._lags, self._tasks = now, {}, 0
        return sentence
