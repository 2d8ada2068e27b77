"""The table of faults against the rules."""

import yaml

from cheeper_e2e.faults.alerting.faults import NOT_CAUSED, STAGES, alerts_of
from cheeper_local.settings import CLONE


def test_each_alert_has_a_fault_that_fires_it():
    """Each alert of the rules is fired by one fault of one stage, or is listed with the reason why none does."""
    rules = CLONE / "deploy" / "observability" / "rules" / "alerts.yaml"
    known = {rule["alert"] for group in yaml.safe_load(rules.read_text())["groups"] for rule in group["rules"]}
    faults = [fault for stage in STAGES.values() for lane in (stage.first, *stage.lanes) for fault in lane]
    fired = sorted(alert for fault in faults for alert in fault.alerts)
    assert fired == sorted(known - NOT_CAUSED.keys())
    assert known >= NOT_CAUSED.keys()
    assert all(alerts_of(stage) for stage in STAGES.values())
