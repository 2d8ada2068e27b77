"""Prometheus beside a running stack, with the rules of deploy/observability, if the PATH has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from cheeper_local.runner.child import Spec
from cheeper_local.settings import CLONE
from cheeper_local.system.binaries import on_path
from cheeper_local.system.ports import HOST

NAME: Final = "prometheus"
RULES: Final = CLONE / "deploy" / "observability" / "rules"
HOW_TO_GET_IT: Final = "no Prometheus on the PATH: Debian and Ubuntu have it as `apt-get install prometheus`"

_SCRAPE_SECONDS: Final = 10
_EVALUATION_SECONDS: Final = 15
_SHORTEST_SECONDS: Final = 5
"""A window of `rate` holds several scrapes, which come each second at least."""
_RESTARTS_SECONDS: Final = 60
"""A window of `changes` holds several starts of a process, which take their time at any speed."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d+)([smhd])")
WINDOW: Final = re.compile(r"\[(\d+[smhd])\]")
"""A window of an expression, such as `[5m]`."""
_STARTS: Final = re.compile(r"(changes\([^[]*)\[(\d+[smhd])\]")
_SINCE: Final = re.compile(r"(?<=< )(\d+)$")
"""The seconds for which an alert stays after an event: `time() - … < 3600`."""


def program() -> Path | None:
    """Return the program, or None if the PATH has none."""
    return on_path("prometheus")


def spec(path: Path, folder: Path, port: int, targets: Mapping[str, int], speed: int) -> Spec:
    """Return the process. `targets` are the ports of the processes to scrape, by name; its data is in `folder`.

    With a `speed` of 20, windows and waiting times of the rules are a twentieth.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rules(speed)}, sort_keys=False))
    config = folder / "prometheus.yaml"
    config.write_text(yaml.safe_dump(configuration(targets, speed), sort_keys=False))
    return Spec(
        name=NAME,
        role=NAME,
        command=[
            str(path),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={HOST}:{port}",
            "--log.level=warn",
            "--enable-feature=exemplar-storage",
        ],
        port=port,
        health="/-/ready",
    )


def configuration(targets: Mapping[str, int], speed: int) -> dict[str, Any]:
    """Return Prometheus's configuration. The rules are in `rules.yaml` beside it."""
    return {
        "global": {
            "scrape_interval": f"{max(1, _SCRAPE_SECONDS // speed)}s",
            "evaluation_interval": f"{max(1, _EVALUATION_SECONDS // speed)}s",
        },
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {
                "job_name": "cheeper",
                "static_configs": [
                    {"targets": [f"{HOST}:{port}"], "labels": {"process": name}} for name, port in targets.items()
                ],
            }
        ],
    }


def rules(speed: int) -> list[dict[str, Any]]:
    """Return the groups of all rules, faster by `speed`."""
    groups: list[dict[str, Any]] = []
    for path in sorted(RULES.glob("*.yaml")):
        groups += yaml.safe_load(path.read_text())["groups"]
    for group in groups:
        for rule in group["rules"]:
            rule["expr"] = _faster_expression(rule["expr"], speed)
            if "for" in rule:
                rule["for"] = f"{_seconds(rule['for']) // speed}s"
    return groups


def _faster_expression(expression: str, speed: int) -> str:
    starts = _STARTS.sub(lambda found: f"{found[1]}[{_faster(found[2], speed, _RESTARTS_SECONDS)}]", expression)
    if starts != expression:
        return starts
    if expression.startswith("time() - "):
        expression = _SINCE.sub(lambda seconds: str(int(seconds[1]) // speed), expression)
    return WINDOW.sub(lambda window: f"[{_faster(window[1], speed)}]", expression)


def _faster(duration: str, speed: int, shortest: int = _SHORTEST_SECONDS) -> str:
    seconds = _seconds(duration)
    return f"{min(seconds, max(shortest, seconds // speed))}s"


def _seconds(duration: str) -> int:
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration!r} is not a number with one unit")
    return int(match[1]) * _UNITS[match[2]]
