"""The way of a command, and that of a query."""

from __future__ import annotations

from typing import Final

from dashboards.panel import READ_API, WRITE_API, Panel, Rows, quantiles

WRITE_PATH: Final[Rows] = {
    "Requests": [
        Panel(
            "Requests by status",
            "",
            "reqps",
            {"{{status}}": f"sum by (status) (rate({WRITE_API}_http_requests_total[1m]))"},
        ),
        Panel(
            "Duration of requests",
            "By route, p50 and p99.",
            "s",
            quantiles(f"{WRITE_API}_http_request_duration_seconds", "route"),
        ),
        Panel(
            "Request to commit",
            "The first half of the way to visible, the wait for the worker included.",
            "s",
            quantiles(f"{WRITE_API}_command_handled_seconds", "type"),
        ),
    ],
    "Saturation": [
        Panel(
            "Places that are taken",
            "The share by limit; more work waits or is refused.",
            "percentunit",
            {"{{limit}} {{process}}": f"{WRITE_API}_limit_in_flight / {WRITE_API}_limit_places"},
        ),
        Panel(
            "Refused work",
            "Requests that got 503 `overloaded`.",
            "reqps",
            {
                "{{limit}}": f"sum by (limit) (rate({WRITE_API}_limit_refused_total[1m]))",
                "worker's lag": f"sum(rate({WRITE_API}_back_pressure_refused_total[1m]))",
            },
        ),
        Panel(
            "Commands that wait for the worker",
            "Refused beyond WORKER_LAG_MAX.",
            "short",
            {"messages": f"max({WRITE_API}_worker_lag_messages)", "overdue": f"max({WRITE_API}_overdue_commands)"},
        ),
        Panel(
            "Event loop delay",
            "By process: what is ready waits for its turn, for as long as something keeps the loop.",
            "s",
            quantiles(f"{WRITE_API}_event_loop_delay_seconds", "process"),
        ),
    ],
    "Worker and relay": [
        Panel(
            "Consumed messages",
            "By process.",
            "ops",
            {"{{process}}": f"sum by (process) (rate({WRITE_API}_consumed_messages_total[1m]))"},
        ),
        Panel(
            "Messages in a batch",
            "The mean by process.",
            "short",
            {
                "{{process}}": f"sum by (process) (rate({WRITE_API}_consumed_messages_total[5m]))"
                f" / (sum by (process) (rate({WRITE_API}_consumed_batches_total[5m])) > 0)"
            },
        ),
        Panel(
            "Outbox",
            "Messages that are not sent yet, and the age of the oldest.",
            "short",
            {
                "messages": f"max({WRITE_API}_outbox_backlog_messages)",
                "seconds": f"max({WRITE_API}_outbox_backlog_age_seconds)",
            },
        ),
    ],
}

READ_PATH: Final[Rows] = {
    "Queries": [
        Panel(
            "Queries by status", "", "reqps", {"{{status}}": f"sum by (status) (rate({READ_API}_requests_total[1m]))"}
        ),
        Panel(
            "Duration by query",
            "p50 and p99, without `after`.",
            "s",
            {
                f"p{share} {{{{query}}}}": f"histogram_quantile(0.{share}, sum by (le, query) "
                f'(rate({READ_API}_request_seconds_bucket{{after="false"}}[1m])))'
                for share in (50, 99)
            },
        ),
        Panel(
            "Duration with `after`",
            "It includes the wait for the effects of a command.",
            "s",
            {
                f"p{share}": f"histogram_quantile(0.{share}, sum by (le) "
                f'(rate({READ_API}_request_seconds_bucket{{after="true"}}[1m])))'
                for share in (50, 99)
            },
        ),
    ],
    "Waits and saturation": [
        Panel(
            "Ended waits",
            "By outcome.",
            "ops",
            {"{{outcome}}": f"sum by (outcome) (rate({READ_API}_after_waits_total[1m]))"},
        ),
        Panel(
            "Places that are taken",
            "The share by limit; more work waits or is refused.",
            "percentunit",
            {"{{limit}} {{process}}": f"{READ_API}_limit_in_flight / {READ_API}_limit_places"},
        ),
        Panel(
            "Refused work",
            "By limit.",
            "reqps",
            {"{{limit}}": f"sum by (limit) (rate({READ_API}_limit_refused_total[1m]))"},
        ),
        Panel(
            "Event loop delay",
            "By process: what is ready waits for its turn, for as long as something keeps the loop.",
            "s",
            quantiles(f"{READ_API}_event_loop_delay_seconds", "process"),
        ),
    ],
    "What readers see": [
        Panel("Lag", "By store, the worst partition.", "s", {"{{store}}": f"max by (store) ({READ_API}_lag_seconds)"}),
        Panel(
            "Views beyond their objective",
            "1 while a view is late.",
            "short",
            {"{{store}} {{view}}": f"max by (store, view) ({READ_API}_view_objective_missed)"},
        ),
        Panel(
            "Queries without their store",
            "Failed since a store was unavailable.",
            "reqps",
            {"{{store}}": f"sum by (store) (rate({READ_API}_store_unavailable_total[1m]))"},
        ),
    ],
}
