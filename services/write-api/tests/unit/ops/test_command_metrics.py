from cheeper_runtime.metrics.page import new_registry
from write_api.ops.command_metrics import CommandMetrics


def test_the_time_of_a_repeated_command_is_not_observed():
    """It was handled before, so its time has no meaning; its outcome is counted."""
    registry = new_registry()
    metrics = CommandMetrics(registry)
    metrics.handled("a.v1", changed=True, code=None, repeated=False, seconds=0.3)
    metrics.handled("a.v1", changed=True, code=None, repeated=True, seconds=3000.0)

    def sample(name, **labels):
        return registry.get_sample_value(f"cheeper_write_api_{name}", {"type": "a.v1", **labels})

    assert (sample("command_handled_seconds_count"), sample("command_handled_seconds_sum")) == (1, 0.3)
    assert sample("command_handled_seconds_bucket", le="0.25") == 0
    assert sample("command_handled_seconds_bucket", le="0.5") == 1
    assert [sample("commands_total", outcome=each, code="") for each in ("changed", "repeated")] == [1, 1]
