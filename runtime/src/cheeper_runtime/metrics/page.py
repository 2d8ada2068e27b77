"""Metrics that are declared once, and their page in Prometheus's text format.

A process that counts on a hot path keeps plain numbers, and a Collector makes `Families` of them when the page is
requested. Others use prometheus_client's own Counter and Gauge with `new_registry()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

Bucket = tuple[str, float] | tuple[str, float, Exemplar | None]
"""The upper bound of a bucket, its cumulative count, and its exemplar."""


class Declaration(msgspec.Struct, frozen=True):
    """A metric: a histogram if `histogram` is set, a counter if its name ends in `_total`, a gauge otherwise."""

    name: str
    documentation: str
    labels: tuple[str, ...] = ()
    histogram: bool = False


class Families:
    """The samples of one page, by their declarations. A metric without samples is on the page with its name alone."""

    def __init__(self, declarations: Iterable[Declaration]) -> None:
        self._families: dict[Declaration, Any] = {each: _family(each) for each in declarations}

    def add(self, metric: Declaration, value: float, *labels: str) -> None:
        """Add a sample of a counter or a gauge."""
        self._families[metric].add_metric(labels, value)

    def add_histogram(self, metric: Declaration, buckets: Sequence[Bucket], total: float, *labels: str) -> None:
        """Add a sample of a histogram: its buckets, and the sum of the observations."""
        self._families[metric].add_metric(labels, buckets, total)

    def __iter__(self) -> Iterator[Metric]:
        return iter(self._families.values())


def new_registry(*collectors: Collector) -> CollectorRegistry:
    """Return a registry of these collectors and of the process's own metrics."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    for collector in (*collectors, ProcessCollector(registry=None)):
        registry.register(collector)
    return registry


def page(registry: CollectorRegistry) -> bytes:
    """Return the page of all metrics, of type CONTENT_TYPE."""
    return generate_latest(registry)


def accepted_page(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return the page in the format that the header `Accept` prefers, and its type. OpenMetrics has exemplars."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _family(declared: Declaration) -> CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily:
    if declared.histogram:
        return HistogramMetricFamily(declared.name, declared.documentation, labels=declared.labels)
    kind = CounterMetricFamily if declared.name.endswith("_total") else GaugeMetricFamily
    return kind(declared.name, declared.documentation, labels=declared.labels)
