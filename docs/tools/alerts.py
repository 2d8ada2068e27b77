"""The table of alerts, from the rule files of Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from cheeper_e2e.faults.alerting.faults import STAGES
from cheeper_e2e.faults.alerting.seen import SEEN
from use_cases import ROOT

RULES: Final = ROOT / "deploy" / "observability" / "rules"
PAGE: Final = "docs/operations.md"
_WINDOW: Final = re.compile(r"\[(\d+[smhd])\]")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_HELD_SECONDS: Final = re.compile(r"\) < (\d+)$")


def rules() -> Iterator[dict[str, Any]]:
    """Each rule of all files, in order: `alert` or `record`, `expr`, and for alerts `for`, `labels`, `annotations`."""
    for path in sorted(RULES.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> str:
    """Every alert: who is called, its cause, its time to fire and to clear, and the section that says what to do."""
    rows = [
        (
            f"`{rule['alert']}`",
            rule["labels"]["severity"],
            _cause(rule["annotations"]["summary"]),
            rule.get("for", "at once"),
            _clears(rule["expr"]),
            _section(rule["annotations"]["runbook"]),
        )
        for rule in rules()
        if "alert" in rule
    ]
    head = ("alert", "severity", "cause", "fires after", "clears within", "what to do")
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))


def faults() -> str:
    """Every fault that a test causes, with its repair, and its alerts with the seconds that were seen."""
    lines = ["| fault | alerts: seconds until it fires, and until it is clear after the repair |", "| --- | --- |"]
    for fault in (each for stage in STAGES.values() for lane in (stage.first, *stage.lanes) for each in lane):
        seen = ", ".join(f"`{alert}` {SEEN[alert][0]}, {SEEN[alert][1]}" for alert in sorted(fault.alerts))
        lines.append(f"| {' '.join((fault.cause.__doc__ or '').split())} | {seen} |")
    return "\n".join(lines)


def _cause(summary: str) -> str:
    text = re.sub(r"\{\{ (?:with|end)[^}]*\}\}", "", summary)
    return re.sub(r"\{\{[^}]*\}\}", "…", text)


def _clears(expression: str) -> str:
    """The shortest window that has to pass without the fault. All windows of an alert are compared with `and`."""
    if held := _HELD_SECONDS.search(expression):
        return f"{int(held[1]) // 60}m"
    windows = _WINDOW.findall(expression)
    return min(windows, key=lambda each: int(each[:-1]) * _SECONDS[each[-1]], default="at once")


def _section(runbook: str) -> str:
    page, _, anchor = runbook.partition("#")
    if page != PAGE:
        raise ValueError(f"{runbook} is no section of {PAGE}")
    return f"[{anchor.replace('-', ' ')}](#{anchor})"
