"""The projector with its stores, and Kafka with the processes."""

from __future__ import annotations

from typing import Final

from dashboards.panel import PROJECTOR, WRITE_API, Panel, Rows, quantiles

STORES: Final[Rows] = {
    "Events": [
        Panel(
            "Commit to visible",
            "The second half of the way to visible, by store.",
            "s",
            quantiles(f"{PROJECTOR}_visible_seconds", "store"),
            exemplars=True,
        ),
        Panel(
            "Request to visible",
            "Of commands without an Idempotency-Key, by store; the gateway writes its time into their ids, to 10 ms.",
            "s",
            quantiles(f"{PROJECTOR}_request_to_visible_seconds", "store"),
            exemplars=True,
        ),
        Panel(
            "Applied events",
            "By store.",
            "ops",
            {"{{store}}": f"sum by (store) (rate({PROJECTOR}_events_applied_total[1m]))"},
        ),
        Panel(
            "Duration of a store's call", "A batch, by store.", "s", quantiles(f"{PROJECTOR}_apply_seconds", "store")
        ),
    ],
    "Lag": [
        Panel(
            "Seconds by partition",
            "One partition alone: a fan-out or a poison key holds it.",
            "s",
            {"{{store}} {{partition}}": f"max by (store, partition) ({PROJECTOR}_lag_seconds)"},
        ),
        Panel(
            "Messages by partition",
            "",
            "short",
            {"{{store}} {{partition}}": f"max by (store, partition) ({PROJECTOR}_lag_messages)"},
        ),
        Panel(
            "Fan-out tasks",
            "Authors whose tasks wait.",
            "short",
            {"{{store}}": f"max by (store) ({PROJECTOR}_tasks_waiting)"},
        ),
        Panel(
            "Duration of a task's step",
            "A slice of a fan-out, or the refill of a timeline.",
            "s",
            quantiles(f"{PROJECTOR}_task_seconds", "task"),
        ),
    ],
    "Stores": [
        Panel(
            "Retries",
            "Calls that failed since a store was unavailable, by error.",
            "ops",
            {"{{store}} {{error}}": f"sum by (store, error) (rate({PROJECTOR}_store_retries_total[1m]))"},
        ),
        Panel(
            "Memory",
            "Of the store's limit; at all of it writes are refused.",
            "percentunit",
            {"{{store}}": f"max by (store) ({PROJECTOR}_store_memory_ratio)"},
        ),
        Panel(
            "Duplicates and unknown types",
            "Read and skipped.",
            "ops",
            {
                "duplicates {{store}}": f"sum by (store) (rate({PROJECTOR}_duplicates_total[1m]))",
                "unknown {{store}}": f"sum by (store) (rate({PROJECTOR}_unknown_types_total[1m]))",
            },
        ),
    ],
}

KAFKA: Final[Rows] = {
    "Log": [
        Panel(
            "Events sent",
            "By the active relay.",
            "ops",
            {"events": f"sum(rate({WRITE_API}_relayed_messages_total[1m]))"},
        ),
        Panel(
            "Sequence by partition",
            "The last one that was sent.",
            "short",
            {"{{partition}}": f"max by (partition) ({WRITE_API}_relay_sequence)"},
        ),
        Panel(
            "Sent and not applied",
            "Sequences between the relay and a store, by partition.",
            "short",
            {
                "{{store}} {{partition}}": f"max by (partition) ({WRITE_API}_relay_sequence)"
                f" - on (partition) group_right () max by (store, partition) ({PROJECTOR}_applied_sequence)"
            },
        ),
    ],
    "Consumers": [
        Panel("Lag of a process", "Messages of its partitions.", "short", {"{{process}}": f"{WRITE_API}_lag_messages"}),
        Panel("Age of what is in flight", "By process.", "s", {"{{process}}": f"{WRITE_API}_lag_seconds"}),
        Panel("Active relays", "Always 1.", "short", {"active": f"sum({WRITE_API}_relay_active)"}),
    ],
    "Processes": [
        Panel("CPU", "Cores, by process.", "short", {"{{process}}": "rate(process_cpu_seconds_total[1m])"}),
        Panel("Memory", "Resident.", "bytes", {"{{process}}": "process_resident_memory_bytes"}),
        Panel("Open files", "", "short", {"{{process}}": "process_open_fds"}),
    ],
}
