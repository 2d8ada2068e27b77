from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.readiness.metrics import ReadinessCollector, declare
from cheeper_runtime.readiness.needs import Readiness


def test_each_need_is_met_or_not():
    """A need has 1 while it is met and 0 while not, and no sample once it was withdrawn."""
    readiness = Readiness()
    part = readiness.part("redis")
    part.expect("redis", "kafka")
    registry = new_registry(ReadinessCollector(declare("test"), readiness.met))

    def met(need):
        return registry.get_sample_value("test_ready", {"need": need})

    assert (met("redis"), met("kafka")) == (0, 0)
    part.ok("redis")
    assert (met("redis"), met("kafka")) == (1, 0)
    part.failed("redis", "is full")
    assert met("redis") == 0
    part.withdraw()
    assert met("redis") is None
