"""The Prometheus of a stack."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

import httpx

from cheeper_local.running import RunningStack
from cheeper_local.waiting import until

_FRESH_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 300.0  # each bounds a hang: a busy machine takes minutes for a few restarts


class Prometheus:
    """Queries Prometheus. Any thread may use it."""

    def __init__(self, stack: RunningStack) -> None:
        port = stack.processes()["prometheus"]["port"]
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60)
        self._lock = threading.Lock()
        self._read_at = 0.0
        self._firing: frozenset[str] = frozenset()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples of an expression now, each with `metric` and `value`."""
        response = self._client.get("/query", params={"query": expression}).json()
        if response["status"] != "success":
            raise ValueError(f"{expression}: {response}")
        result: list[dict[str, Any]] = response["data"]["result"]
        return result

    def traces(self, metric: str) -> frozenset[str]:
        """Return the ids of the traces that are exemplars of a metric's buckets in the last hour."""
        now = time.time()
        params: dict[str, str | float] = {"query": metric, "start": now - 3600, "end": now}
        found = self._client.get("/query_exemplars", params=params).json()["data"]
        return frozenset(one["labels"]["trace_id"] for series in found for one in series["exemplars"])

    def firing(self) -> frozenset[str]:
        """Return the names of the alerts that fire, as of half a second ago at most."""
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH_SECONDS:
                found = self.query('ALERTS{alertstate="firing"}')
                self._firing = frozenset(each["metric"]["alertname"] for each in found)
                self._read_at = time.monotonic()
            return self._firing

    def rules(self) -> list[dict[str, Any]]:
        """Return all rules, each with its health and the time of its last evaluation."""
        groups = self._client.get("/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def until_clear(self, alerts: frozenset[str]) -> dict[str, float]:
        """Wait until each of the alerts was seen clear. Return the seconds that each one took."""
        return self._until(alerts, "clear", lambda firing: alerts - firing)

    def until_fired(self, alerts: frozenset[str]) -> dict[str, float]:
        """Wait until each of the alerts has fired. Return the seconds that each one took."""
        return self._until(alerts, "fire", lambda firing: alerts & firing)

    def _until(self, alerts: frozenset[str], what: str, done_of: Any) -> dict[str, float]:
        began, took = time.monotonic(), dict[str, float]()

        def is_done() -> bool:
            for alert in done_of(self.firing()):
                took.setdefault(alert, time.monotonic() - began)
            return took.keys() == alerts

        try:
            until(is_done, _PATIENCE_SECONDS)
        except TimeoutError:
            missing = sorted(alerts - took.keys())
            raise AssertionError(f"{missing} did not {what}; now there fire {sorted(self.firing())}") from None
        return took

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
