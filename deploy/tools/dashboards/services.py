"""One dashboard for each service: is each of its processes well, and what does it take of its machine?"""

from __future__ import annotations

from typing import Final

from dashboards.panel import IDENTITY, PROJECTOR, READ_API, WRITE_API, Panel, Rows, quantiles


def _service(processes: str, metrics: str = "", *, has_event_loop: bool = False) -> Rows:
    """Return the rows of a service. `processes` is a regular expression of their names without a replica's number,
    `metrics` the beginning of the names of its own metrics, if it has a readiness among them.
    """
    of = f'{{process=~"({processes})(-[0-9]+)?"}}'
    well = [
        Panel(
            "Time since the start",
            "A process that dies again and again stays near 0.",
            "s",
            {"{{process}}": f"time() - process_start_time_seconds{of}"},
        )
    ]
    if metrics:
        ready = {"{{process}} {{need}}": f"min by (process, need) ({metrics}_ready{of})"}
        well.insert(0, Panel("Ready", "1 while a need is met, 0 while not.", "short", ready))
    if has_event_loop:
        delay = quantiles(f"{metrics}_event_loop_delay_seconds", "process")
        well.append(Panel("Event loop delay", "What is ready waits for its turn.", "s", delay))
    machine = [
        Panel("CPU", "Cores.", "short", {"{{process}}": f"rate(process_cpu_seconds_total{of}[1m])"}),
        Panel(
            "Memory",
            "Resident; a container ends at 512 MiB.",
            "bytes",
            {"{{process}}": f"process_resident_memory_bytes{of}"},
        ),
        Panel("Open files", "Connections are among them.", "short", {"{{process}}": f"process_open_fds{of}"}),
    ]
    return {"Is it well?": well, "What it takes": machine}


SERVICES: Final[dict[str, Rows]] = {
    "write-api": _service("write-api|worker|relay|process-manager", WRITE_API, has_event_loop=True),
    "projector": _service("projector", PROJECTOR),
    "read-api": _service("read-api", READ_API, has_event_loop=True),
    "identity": {
        "How does it respond?": [
            Panel(
                "Requests",
                "By status.",
                "reqps",
                {"{{status}}": f"sum by (status) (rate({IDENTITY}_http_requests_total[1m]))"},
            ),
            Panel(
                "Duration of requests",
                "A password takes a tenth of a second to check.",
                "s",
                quantiles(f"{IDENTITY}_http_request_duration_seconds", "route"),
            ),
        ],
        **_service("identity", IDENTITY, has_event_loop=True),
    },
}
