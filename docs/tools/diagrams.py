"""Each use case as a Mermaid flow chart: request, command, handler, event, process manager, views, queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cheeper_contracts.views import Collection, KeyPattern
from use_cases import UseCase, all_use_cases, file_of, queries_of, reactions_of


def all_diagrams() -> str:
    """A chart for each command that clients send, with the commands that follow from it."""
    cases = {case.command: case for case in all_use_cases()}
    blocks = []
    for case in cases.values():
        if case.request:
            chart = _chart(case, cases)
            blocks += [f"### {case.command.__name__}", "", "```mermaid", "flowchart LR", *chart, "```", ""]
    return "\n".join(blocks).rstrip()


def _chart(case: UseCase, cases: dict[type, UseCase]) -> Iterator[str]:
    way = "sync" if case.transport == "sync" else "async, over cheeper.commands"
    yield f'    request["{case.request}"] -- "{way}" --> command'
    yield from _command(case, "")
    for number, (manager, command) in enumerate(reactions_of(case.event), start=1):
        yield f'    event --> manager{number}[["{_short(file_of(manager))}"]]'
        yield f'    manager{number} -- "over cheeper.commands" --> command{number}'
        yield from _command(cases[command], str(number))


def _command(case: UseCase, number: str) -> Iterator[str]:
    command, event, handler = case.command, case.event, _short(case.handler)
    yield f'    command{number}["{command.__name__}<br/>key: {command.KEY}"] --> handler{number}[["{handler}"]]'
    yield f'    handler{number} -- "outbox, relay" --> event{number}["{event.__name__}<br/>key: {event.KEY}"]'
    yield from _store(f"redis{number}", f"event{number}", "Redis", case.redis)
    yield from _store(f"mongo{number}", f"event{number}", "MongoDB", case.mongo)


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _store(node: str, event: str, name: str, shown: Sequence[KeyPattern | Collection]) -> Iterator[str]:
    if shown:
        yield f'    {event} -- projector --> {node}[("{name}<br/>{", ".join(view.name for view in shown)}")]'
    if queries := queries_of(shown):
        yield f'    {node} --> {node}_queries["{"<br/>".join(queries)}"]'
