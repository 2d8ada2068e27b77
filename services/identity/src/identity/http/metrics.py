"""The metrics of this service, each declared once."""

from __future__ import annotations

from typing import Final

from cheeper_runtime.concurrency import metrics as limit_metrics
from cheeper_runtime.metrics import event_loop_delay
from cheeper_runtime.metrics import http as http_metrics
from cheeper_runtime.readiness import metrics as readiness_metrics

_P: Final = "cheeper_identity"

READY: Final = readiness_metrics.declare(_P)
LOOP_DELAY: Final = event_loop_delay.declare(_P)
HTTP: Final = http_metrics.declare(_P)
LIMITS: Final = limit_metrics.declare(_P)

DECLARED: Final = (READY, LOOP_DELAY, *HTTP.all(), *LIMITS.all())
