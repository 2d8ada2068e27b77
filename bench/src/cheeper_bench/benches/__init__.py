"""The benchmarks, a module each, in the order of the table of `make bench`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cheeper_bench.benches import (
    below_floor,
    fan_out,
    first_paint,
    growth,
    heavy_author,
    mixed,
    outbox_to_kafka,
    post_to_visible,
    projector,
    rate_limits,
    streams,
    timeline_read,
    traces,
    worker,
)
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
        post_to_visible.BENCH,
        outbox_to_kafka.BENCH,
        worker.BENCH,
        projector.BENCH,
        first_paint.BENCH,
        mixed.BENCH,
        growth.BENCH,
        heavy_author.BENCH,
    )
}
