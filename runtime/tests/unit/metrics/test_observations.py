import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from cheeper_runtime.metrics.observations import Observations
from cheeper_runtime.metrics.page import Declaration, Families, accepted_page, new_registry

SECONDS = Declaration("test_seconds", "how long it took", ("store",), histogram=True)


class Exposed(Collector):
    def __init__(self, observed):
        self.observed = observed

    def collect(self):
        families = Families((SECONDS,))
        self.observed.add_to(families, SECONDS, "redis")
        return iter(families)


@given(st.lists(st.floats(0, 5)), st.lists(st.floats(0.001, 4), min_size=1, unique=True).map(sorted))
def test_each_bucket_counts_the_values_up_to_its_bound(values, bounds):
    """Buckets are cumulative, the last has every value, and the sum is that of the values."""
    observed = Observations(bounds)
    for value in values:
        observed.observe(value)
    registry = new_registry(Exposed(observed))

    def sample(name, **labels):
        return registry.get_sample_value(f"test_seconds_{name}", {"store": "redis", **labels})

    for bound in bounds:
        assert sample("bucket", le=str(bound)) == sum(value <= bound for value in values)
    assert sample("bucket", le="+Inf") == sample("count") == len(values)
    assert sample("sum") == sum(values)


def test_a_bucket_shows_its_latest_value_with_a_trace():
    """OpenMetrics has the trace id beside the bucket's count. Values without a trace leave it as it is."""
    observed = Observations([1.0, 2.0])
    for value, trace_id in ((0.5, "a" * 32), (0.25, "b" * 32), (0.75, None), (1.5, None)):
        observed.observe(value, trace_id)
    content, _ = accepted_page(new_registry(Exposed(observed)), "application/openmetrics-text;version=1.0.0;q=0.5")
    (family,) = (each for each in text_string_to_metric_families(content.decode()) if each.name == "test_seconds")
    exemplars = {each.labels["le"]: each.exemplar for each in family.samples if each.name.endswith("_bucket")}
    assert exemplars.pop("1.0")[:2] == ({"trace_id": "b" * 32}, 0.25)
    assert set(exemplars.values()) == {None}


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain;version=0.0.4", "no header at all"])
def test_the_text_format_has_no_exemplars(accept):
    """A client that does not prefer OpenMetrics gets Prometheus's text format, without exemplars."""
    observed = Observations([1.0])
    observed.observe(0.5, "a" * 32)
    content, content_type = accepted_page(new_registry(Exposed(observed)), accept)
    assert content_type.startswith("text/plain")
    assert b'test_seconds_bucket{le="1.0",store="redis"} 1.0' in content
    assert b"trace_id" not in content
