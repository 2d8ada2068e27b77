"""The benchmarks, a module each, in the order of the table of `make bench`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cheeper_bench.benches.parts import fan_out, growth, outbox_to_kafka, projector, worker
from cheeper_bench.benches.reads import below_floor, first_paint, rate_limits, streams, timeline_read, traces
from cheeper_bench.benches.stack import cpu_per_command, heavy_author, idle, mixed, pays_off, post_to_visible
from cheeper_bench.measuring.bench import Bench

BENCHES: Final[Mapping[str, Bench]] = {
    bench.name: bench
    for bench in (
        fan_out.BENCH,
        timeline_read.BENCH,
        below_floor.BENCH,
        rate_limits.BENCH,
        streams.BENCH,
        traces.BENCH,
        cpu_per_command.BENCH,
        post_to_visible.BENCH,
        idle.BENCH,
        outbox_to_kafka.BENCH,
        worker.BENCH,
        projector.BENCH,
        first_paint.BENCH,
        mixed.BENCH,
        growth.BENCH,
        heavy_author.BENCH,
        pays_off.BENCH,
    )
}
