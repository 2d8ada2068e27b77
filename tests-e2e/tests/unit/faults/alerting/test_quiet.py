"""The judgement of a quiet run, from what its Prometheus has."""

from cheeper_e2e.faults.alerting.quiet import fired, reasons_for_doubt, watch


class FakePrometheus:
    """Has alerts that fired, counters that grew, and rules with their health."""

    def __init__(self, alerts=(), growing=("requests", "commands", "events"), health="ok"):
        self.alerts, self.growing = alerts, growing
        self.health = health

    def query(self, expression):
        if "ALERTS" in expression:
            return [{"metric": {"alertname": name}, "value": [0, "1"]} for name in self.alerts]
        return [{"metric": {}, "value": [0, "1"]}] if any(f"_{name}_" in expression for name in self.growing) else []

    def rules(self):
        return [{"name": "CheeperLate", "health": self.health}]


def test_an_alert_that_fired_at_any_time_ends_the_run_by_its_name():
    """A run of an hour ends at once where an alert has fired."""
    assert watch(FakePrometheus(alerts=("CheeperLate",)), 3600) == {"CheeperLate"}
    assert fired(FakePrometheus(), 60) == frozenset()


def test_a_run_without_use_or_with_a_failing_rule_proves_nothing():
    """Each counter that did not grow is a doubt, and so is each rule that Prometheus cannot evaluate."""
    assert reasons_for_doubt(FakePrometheus(), 60) == []
    assert reasons_for_doubt(FakePrometheus(growing=("requests", "events")), 60) == [
        "cheeper_write_api_commands_total did not grow"
    ]
    assert reasons_for_doubt(FakePrometheus(health="err"), 60) == ["the rule CheeperLate is err"]
