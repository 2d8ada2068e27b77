"""The alert rules on series that a fault would make: each fires in its time, and clears after the repair.

promtool evaluates them, of Debian's package `prometheus` or of any other; without it these tests are skipped.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[1] / "observability" / "rules"
SCRAPE = "10s"
QUERY = 'query="Timeline",after="false",process="read-api"'
STORE = 'store="redis",generation="1",process="projector"'
PROJECTOR, READ, WRITE = "cheeper_projector_", "cheeper_read_api_", "cheeper_write_api_"

CASES = {
    # alert: (series with one value each 10 s, minutes until it must not fire yet, must fire, must be clear)
    "CheeperQueryObjectiveBurnsFast": (
        {
            # ten queries a second, of which a fifth is slow for 20 minutes
            f"{READ}request_seconds_count{{{QUERY}}}": "0+100x300",
            f'{READ}request_seconds_bucket{{{QUERY},le="0.05"}}': "0+80x120 9700+100x180",
        },
        *(1, 15, 45),
    ),
    "CheeperQueryObjectiveBurnsSlowly": (
        {
            f"{READ}request_seconds_count{{{QUERY}}}": "0+100x420",
            f'{READ}request_seconds_bucket{{{QUERY},le="0.05"}}': "0+95x150 14350+100x270",
        },
        *(10, 22, 68),
    ),
    "CheeperCommandObjectiveBurnsFast": (
        {
            f'{WRITE}command_handled_seconds_count{{type="a",process="worker"}}': "0+100x300",
            f'{WRITE}command_handled_seconds_bucket{{type="a",process="worker",le="0.5"}}': "0+100x300",
            f"{PROJECTOR}visible_seconds_count{{{STORE}}}": "0+100x300",
            f'{PROJECTOR}visible_seconds_bucket{{{STORE},le="0.5"}}': "0+80x120 9700+100x180",
        },
        *(1, 15, 45),
    ),
    "CheeperCommandObjectiveBurnsSlowly": (
        {
            f'{WRITE}command_handled_seconds_count{{type="a",process="worker"}}': "0+100x420",
            f'{WRITE}command_handled_seconds_bucket{{type="a",process="worker",le="0.5"}}': "0+95x150 14350+100x270",
        },
        *(10, 22, 68),
    ),
    "CheeperSequenceMissing": ({f'{PROJECTOR}gap{{{STORE},partition="3"}}': "0x6 1x60 0x60"}, 1, 5, 13),
    "CheeperHistoryRefused": ({f'{WRITE}ready{{need="history",process="relay"}}': "1x6 0x60 1x60"}, 1, 5, 13),
    "CheeperMessagesParked": ({f"{PROJECTOR}parked_waiting{{{STORE}}}": "0x6 3x60 0x60"}, 0, 2, 13),
    "CheeperCommandsLost": ({f"{WRITE}topic_replaced_timestamp_seconds": "0x6 60x600"}, 0, 2, 62),
    "CheeperProcessDown": ({'up{process="worker",job="cheeper"}': "1x6 0x60 1x60"}, 1, 5, 13),
    "CheeperNotReady": ({f'{PROJECTOR}ready{{need="redis",process="projector"}}': "1x6 0x60 1x60"}, 2, 5, 13),
    "CheeperRestarts": (
        {'process_start_time_seconds{process="worker"}': "1x12 2x3 3x3 4x3 5x3 6x300"},
        *(1, 5, 25),
    ),
    "CheeperProcessMemoryHigh": (
        {'process_resident_memory_bytes{process="worker",job="cheeper"}': "500000000x120 100000000x60"},
        *(10, 18, 25),
    ),
    "CheeperRelayMissing": ({f'{WRITE}relay_active{{process="relay"}}': "1x6 0x60 1x60"}, 1, 5, 13),
    "CheeperPartitionsUnassigned": (
        {f'{PROJECTOR}lag_seconds{{{STORE},partition="{number}"}}': "0x120" for number in range(7)}
        | {f'{PROJECTOR}lag_seconds{{{STORE},partition="7"}}': "0x6 stale _x54 0x60"},
        *(1, 5, 14),
    ),
    "CheeperOutboxBacklogOld": ({f"{WRITE}outbox_backlog_age_seconds": "0x6 0+10x60 0x60"}, 2, 8, 14),
    "CheeperOutboxBlocked": ({f"{WRITE}outbox_blocked_seconds": "0x6 0+10x60 0x60"}, 1, 8, 14),
    "CheeperViewLate": (
        {f'{PROJECTOR}view_objective_missed{{{STORE},view="timeline"}}': "0x6 1x60 0x60"},
        *(1, 5, 13),
    ),
    "CheeperReadersSeeLate": (
        {f'{READ}view_objective_missed{{store="mongo",generation="1",view="cheep"}}': "0x6 1x60 0x60"},
        *(1, 5, 13),
    ),
    "CheeperFanOutTasksWait": ({f"{PROJECTOR}tasks_waiting{{{STORE}}}": "0x6 5x240 0x60"}, 20, 38, 45),
    "CheeperWorkerLate": ({f"{WRITE}lag_seconds": "0x6 60x60 0x60"}, 1, 5, 13),
    "CheeperCommandsOverdue": ({f"{WRITE}overdue_commands": "0x6 2x60 0x60"}, 1, 5, 13),
    "CheeperStaleReads": ({f'{READ}after_waits_total{{outcome="stale"}}': "0x6 0+10x120 1200x120"}, 2, 15, 30),
    "CheeperStoreMemoryHigh": ({f"{PROJECTOR}store_memory_ratio{{{STORE}}}": "0.5x6 0.9x60 0.5x60"}, 4, 8, 13),
    "CheeperDiskFull": (
        {
            'node_filesystem_avail_bytes{mountpoint="/",fstype="ext4",instance="a"}': "50x6 5x60 50x60",
            'node_filesystem_size_bytes{mountpoint="/",fstype="ext4",instance="a"}': "100x200",
        },
        *(4, 8, 13),
    ),
    "CheeperOverloaded": ({f'{READ}limit_refused_total{{limit="redis"}}': "0x6 0+100x120 12000x120"}, 3, 15, 30),
    "CheeperServerErrors": (
        {f'{READ}requests_total{{query="Timeline",status="503"}}': "0x6 0+10x120 1200x120"},
        *(1, 10, 30),
    ),
    "CheeperClocksDiffer": ({f"{WRITE}clock_difference_seconds": "0x6 -60x60 0x60"}, 4, 8, 13),
    "CheeperOutboxMonthsRetained": ({f"{WRITE}outbox_months_retained": "0x6 1x480 0x60"}, 50, 70, 85),
}

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is missing: install prometheus")


def promtool(*arguments):
    done = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def firing(alert, minutes, *, is_firing):
    """Return a test of the number of firing series of an alert at a time: one, or none at all."""
    expression = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0'
    expected = [{"labels": "{}", "value": 1}] if is_firing else []
    return {"expr": expression, "eval_time": f"{minutes}m", "exp_samples": expected}


def test_the_rules_are_valid():
    """Promtool accepts each file."""
    promtool("check", "rules", *map(str, sorted(RULES.glob("*.yaml"))))


def rule_of():
    """Return the rule of each alert."""
    groups = yaml.safe_load((RULES / "alerts.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_each_alert_has_a_case():
    """A new alert is tested, and a case is of an alert."""
    assert rule_of().keys() == CASES.keys()


def test_each_alert_fires_in_its_time_and_clears(tmp_path):
    """It does not fire before its time, fires while the fault lasts, and is clear after the repair."""
    files = []
    for alert, rule in rule_of().items():
        series, early, late, clear = CASES[alert]
        rules, tests = tmp_path / f"{alert}.yaml", tmp_path / f"{alert}-test.yaml"
        rules.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}))
        case = {
            "interval": SCRAPE,
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                firing(alert, early, is_firing=False),
                firing(alert, late, is_firing=True),
                firing(alert, clear, is_firing=False),
            ],
        }
        files.append(tests)
        rule_files = [str(RULES / "objectives.yaml"), str(rules)]
        tests.write_text(yaml.safe_dump({"rule_files": rule_files, "evaluation_interval": "30s", "tests": [case]}))
    promtool("test", "rules", *map(str, files))
