import yaml

from cheeper_local.runner import prometheus


def expressions(speed):
    return {
        rule.get("alert") or rule["record"]: (rule["expr"], rule.get("for"))
        for group in prometheus.rules(speed)
        for rule in group["rules"]
    }


def test_at_the_usual_speed_the_rules_are_those_of_the_files():
    """Each duration means the same, in seconds."""
    real, found = {}, expressions(1)
    for path in prometheus.RULES.glob("*.yaml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            real |= {rule.get("alert") or rule["record"]: rule for rule in group["rules"]}
    assert found.keys() == real.keys()
    for name, (expression, _) in found.items():
        assert prometheus.WINDOW.sub("", expression) == prometheus.WINDOW.sub("", real[name]["expr"])
    assert found["CheeperQueryObjectiveBurnsFast"][1] == "120s"
    assert "[3600s]" in found["CheeperQueryObjectiveBurnsFast"][0]


def test_each_group_has_a_name_of_its_own():
    """Prometheus takes no file with two groups of a name, and all groups are written into one."""
    names = [group["name"] for group in prometheus.rules(1)]
    assert len(names) == len(set(names)) > 1


def test_a_faster_rule_has_shorter_windows_and_waits():
    """A window is no shorter than several scrapes, and the names of recorded series stay as they are."""
    expression, wait = expressions(20)["CheeperQueryObjectiveBurnsFast"]
    assert "cheeper:queries_bad:rate1m[180s]" in expression
    assert "cheeper:queries_bad:rate1m[15s]" in expression
    assert wait == "6s"
    assert "[5s]" in expressions(20)["cheeper:queries:rate1m"][0]


def test_starts_of_a_process_are_counted_over_a_minute_at_least():
    """A process cannot start four times in a few seconds, however fast the rules are."""
    assert "[900s]" in expressions(1)["CheeperRestarts"][0]
    assert "[60s]" in expressions(60)["CheeperRestarts"][0]


def test_an_alert_that_stays_after_an_event_stays_for_less():
    """The seconds since the event are divided as well, and no other bound of a rule."""
    assert expressions(1)["CheeperCommandsLost"][0].endswith("< 3600")
    assert expressions(60)["CheeperCommandsLost"][0].endswith("< 60")
    for alert in ("CheeperDiskFull", "CheeperRestarts", "CheeperOutboxBlocked"):
        assert prometheus.WINDOW.sub("", expressions(60)[alert][0]) == prometheus.WINDOW.sub(
            "", expressions(1)[alert][0]
        )


def test_each_process_is_a_target_by_its_name(tmp_path):
    """The configuration has a target with the label `process` for each process, and the rules beside it."""
    spec = prometheus.spec(tmp_path / "prometheus", tmp_path, 9090, {"relay": 8001, "read-api-2": 8002}, 20)
    written = yaml.safe_load((tmp_path / "prometheus.yaml").read_text())
    assert written["scrape_configs"][0]["static_configs"] == [
        {"targets": ["127.0.0.1:8001"], "labels": {"process": "relay"}},
        {"targets": ["127.0.0.1:8002"], "labels": {"process": "read-api-2"}},
    ]
    assert written["global"]["scrape_interval"] == "1s"
    assert yaml.safe_load((tmp_path / "rules.yaml").read_text())["groups"] == prometheus.rules(20)
    assert "--web.listen-address=127.0.0.1:9090" in spec.command
