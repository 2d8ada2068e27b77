"""The overview: the objectives, and the golden signals."""

from __future__ import annotations

from typing import Final

from dashboards.panel import PROJECTOR, READ_API, WRITE_API, Panel, Rows

OVERVIEW: Final[Rows] = {
    "Objectives": [
        Panel(
            "Queries beyond 50 ms or failed",
            "The share of the last hour and of the last 5 minutes; 1 % is allowed.",
            "percentunit",
            {
                window: f"avg_over_time(cheeper:queries_bad:rate1m[{window}])"
                f" / (avg_over_time(cheeper:queries:rate1m[{window}]) > 0)"
                for window in ("1h", "5m")
            },
        ),
        Panel(
            "Commands beyond 1 s to visible",
            "The share of the last hour and of the last 5 minutes; 1 % is allowed.",
            "percentunit",
            {
                window: f"avg_over_time(cheeper:commands_bad:rate1m[{window}])"
                f" / (avg_over_time(cheeper:commands:rate1m[{window}]) > 0)"
                for window in ("1h", "5m")
            },
        ),
        Panel(
            "Messages that wait for a person",
            "Parked messages by store, dead letters of the write side, and missing sequences. All are 0 at rest.",
            "short",
            {
                "parked {{store}}": f"max by (store) ({PROJECTOR}_parked_waiting)",
                "dead letters": f"sum(max by (topic) ({WRITE_API}_dead_letters)) or vector(0)",
                "gaps": f"sum({PROJECTOR}_gap)",
            },
        ),
    ],
    "Traffic and errors": [
        Panel("Queries", "By query.", "reqps", {"{{query}}": f"sum by (query) (rate({READ_API}_requests_total[1m]))"}),
        Panel(
            "Commands",
            "By outcome.",
            "reqps",
            {"{{outcome}}": f"sum by (outcome) (rate({WRITE_API}_commands_total[1m]))"},
        ),
        Panel(
            "Errors",
            "Responses of 5xx by service.",
            "reqps",
            {
                "queries": f'sum(rate({READ_API}_requests_total{{status=~"5.."}}[1m])) or vector(0)',
                "commands": f'sum(rate({WRITE_API}_http_requests_total{{status=~"5.."}}[1m])) or vector(0)',
            },
        ),
    ],
    "Health": [
        Panel("Processes", "1 for each process that responds.", "short", {"{{process}}": "up"}),
        Panel(
            "Needs that are met",
            "0 where a process waits for something.",
            "short",
            {
                "{{process}} {{need}}": f"min by (process, need) ({WRITE_API}_ready or {PROJECTOR}_ready"
                f" or {READ_API}_ready)",
            },
        ),
        Panel(
            "Lag of the views",
            "The worst partition of each store.",
            "s",
            {"{{store}}": f"max by (store) ({PROJECTOR}_lag_seconds)"},
        ),
    ],
}
