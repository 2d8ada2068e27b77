from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from cheeper_runtime.metrics.page import Declaration, Families, new_registry, page

DONE = Declaration("done_total", "what was done", ("store",))
WAITING = Declaration("waiting", "what waits")
SECONDS = Declaration("seconds", "how long it took", ("query",), histogram=True)


class Counting(Collector):
    def collect(self):
        families = Families((DONE, WAITING, SECONDS))
        families.add(DONE, 3, "redis")
        families.add(WAITING, 2)
        families.add_histogram(SECONDS, [("0.1", 1), ("+Inf", 2)], 0.7, "timeline")
        return iter(families)


def test_the_page_has_every_declared_metric_of_its_kind():
    """Names, kinds and samples are as declared, and the process's own metrics are on the page too."""
    found = {each.name: each for each in text_string_to_metric_families(page(new_registry(Counting())).decode())}
    assert {name: found[name].type for name in ("done", "waiting", "seconds")} == {
        "done": "counter",
        "waiting": "gauge",
        "seconds": "histogram",
    }
    assert [(each.labels, each.value) for each in found["done"].samples] == [({"store": "redis"}, 3)]
    assert [(each.name, each.value) for each in found["seconds"].samples] == [
        ("seconds_bucket", 1),
        ("seconds_bucket", 2),
        ("seconds_count", 2),
        ("seconds_sum", 0.7),
    ]
    assert found["waiting"].samples[0].value == 2
    assert "process_open_fds" in found
