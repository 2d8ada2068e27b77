"""The tables and lists of the pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import identity.http.metrics
import inspector.bootstrap
import projector.ops.metrics
import read_api.ops.metrics
import write_api.ops.metrics
from cheeper_contracts import views
from cheeper_contracts.catalogue import COMMANDS, EVENTS
from read_api.http.endpoints import ENDPOINTS
from use_cases import ROOT, SHOWN_BY, all_use_cases, file_of, queries_of, request_for
from write_api.http.openapi import first_sentence

FEATURE_FOLDERS: Final = (
    "contracts/src/cheeper_contracts/commands",
    "contracts/src/cheeper_contracts/events",
    "services/write-api/src/write_api/commands",
    "services/write-api/src/write_api/process_managers",
    "services/projector/src/projector/projections",
    "services/read-api/src/read_api/queries",
)
LINE: Final = 100


def commands() -> str:
    """Every command that clients send: its request, what it does, and how it gets to its handler by default."""
    rows = [
        (case.command.__name__, _code(case.request), first_sentence(case.command), case.transport)
        for case in all_use_cases()
        if case.request
    ]
    return _table(("command", "request", "what it does", "by default"), rows)


def queries() -> str:
    """Every query: its requests, and its answer in a few words."""
    rows = [(each.query.__name__, _code(request_for(each)), _first_sentence(each.query)) for each in ENDPOINTS]
    return _table(("query", "request", "what it answers"), rows)


def messages() -> str:
    """Every command with its event, and the keys of both."""
    rows = [
        (
            _code(case.request) if case.request else "a process manager",
            case.command.__name__,
            _code(case.command.TYPE),
            _code(case.command.KEY),
            case.event.__name__,
            _code(case.event.TYPE),
            _code(case.event.KEY),
        )
        for case in all_use_cases()
    ]
    return _table(("sent by", "command", "type", "key", "event", "type", "key"), rows)


def views_and_queries() -> str:
    """Every view with its objective and its readers."""
    rows = [
        (
            "Redis" if isinstance(view, views.KeyPattern) else "MongoDB",
            _code(view.name),
            f"{(view.lag_ms or 0) / 1000:g} s",
            "<br>".join(map(_code, queries_of([view]))) or "the projector itself",
        )
        for view in SHOWN_BY
    ]
    return _table(("store", "view", "lag at rest", "read by"), rows)


def files() -> str:
    """The files of each folder that holds a feature in each of its files, beside what runs them."""
    blocks = []
    for folder in FEATURE_FOLDERS:
        names = sorted(path.name for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py")
        features = [name for name in names if _is_feature(Path(folder, name))]
        others = [name for name in names if name not in features]
        blocks += [f"{folder}/", *_lines(features)]
        blocks += _lines(["and what runs them:", *others]) if others else []
    return "\n".join(["```text", *blocks, "```"])


def _is_feature(path: Path) -> bool:
    parts = {file_of(part) for case in all_use_cases() for part in (case.command, case.event)}
    parts |= {file_of(message) for message in (*COMMANDS, *EVENTS)}
    parts |= {case.handler for case in all_use_cases()} | {file_of(endpoint.query) for endpoint in ENDPOINTS}
    return path in parts or path.parent.name in {"process_managers", "projections"}


def _lines(words: Iterable[str]) -> list[str]:
    lines = [" "]
    for word in words:
        if len(lines[-1]) + len(word) > LINE:
            lines.append(" ")
        lines[-1] += f"  {word}"
    return [line.rstrip().replace("   ", "    ", 1) for line in lines]


def projector_metrics() -> str:
    """Every metric of the projector."""
    return _metrics((each.name, each.labels, each.documentation) for each in projector.ops.metrics.DECLARED)


def read_api_metrics() -> str:
    """Every metric of read-api."""
    return _metrics((each.name, each.labels, each.documentation) for each in read_api.ops.metrics.DECLARED)


def write_api_metrics() -> str:
    """Every metric of write-api, of whichever role."""
    return _metrics((each.name, each.labels, each.documentation) for each in write_api.ops.metrics.DECLARED)


def identity_metrics() -> str:
    """Every metric of identity."""
    return _metrics((each.name, each.labels, each.documentation) for each in identity.http.metrics.DECLARED)


def inspector_metrics() -> str:
    """Every metric of the inspector."""
    return _metrics((each.name, each.labels, each.documentation) for each in inspector.bootstrap.LIMITS.all())


def _metrics(declared: Iterable[tuple[str, Iterable[str], str]]) -> str:
    rows = [(_code(name), ", ".join(map(_code, labels)), what) for name, labels, what in declared]
    return _table(("metric", "labels", "what it is"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`"


def _first_sentence(thing: type) -> str:
    return re.split(r"(?<=[.?])\s", thing.__doc__ or "", maxsplit=1)[0]
