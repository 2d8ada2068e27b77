"""The page of all messages, from the AsyncAPI document: key, schema, golden example, producer and consumers of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

import yaml

from cheeper_contracts.catalogue import LEADS_TO, OUTCOMES
from cheeper_contracts.kafka import codec
from cheeper_contracts.messages import Command, Event
from projector import projections
from use_cases import ROOT, all_use_cases
from write_api.process_managers import PROCESS_MANAGERS

_SCHEMAS: Final = ROOT / "contracts" / "schemas"
_EXAMPLES: Final = ROOT / "contracts" / "examples"
_TYPES: Final[Mapping[str, type[Command | Event]]] = {**codec.COMMAND_TYPES, **codec.EVENT_TYPES}
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Cheeper: the messages</title>
  <link rel="icon" href="/web/icon.svg">
  <link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
  <nav><a href="/">Cheeper</a> <a href="/docs">HTTP API</a> <strong>Messages</strong></nav>
  <main class="messages">
    <h1>Messages</h1>
    <p>{description}</p>
{channels}
  </main>
</body>
</html>
"""


def page() -> str:
    """Return the page."""
    document = yaml.safe_load((_SCHEMAS / "asyncapi.yaml").read_text())
    channels = [_channel(channel, document) for channel in document["channels"].values()]
    return _PAGE.format(description=escape(document["info"]["description"]), channels="\n".join(channels))


def _channel(channel: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    partitions = channel["bindings"]["kafka"]["partitions"]
    types = [reference["$ref"].rpartition("/")[2] for reference in channel["messages"].values()]
    messages = [document["components"]["messages"][name] for name in types]
    links = "".join(f'<li><a href="#{each["name"]}">{escape(each["title"])}</a></li>' for each in messages)
    sections = "\n".join(_section(message) for message in messages)
    return f"""\
    <h2>Topic <code>{escape(channel["address"])}</code></h2>
    <p>{partitions} partitions.</p>
    <ul>{links}</ul>
{sections}"""


def _section(message: Mapping[str, Any]) -> str:
    name = message["name"]
    struct = _TYPES[name]
    schema = json.dumps(json.loads((_SCHEMAS / f"{name}.json").read_text()), indent=2, ensure_ascii=False)
    golden = (_EXAMPLES / f"{name}.message").read_bytes().decode()
    return f"""\
    <section id="{name}">
      <h3>{escape(message["title"])} <small><code>{name}</code></small></h3>
      <p>{escape(message["summary"])}</p>
      <dl>
        <dt>Key</dt><dd><code>{escape(struct.KEY)}</code></dd>
        <dt>Producer</dt><dd>{_joined(producers_of(struct))}</dd>
        <dt>Consumers</dt><dd>{_joined(consumers_of(struct))}</dd>
      </dl>
      <details><summary>Schema</summary><pre tabindex="0">{escape(schema)}</pre></details>
      <details open><summary>Example</summary><pre tabindex="0">{escape(golden)}</pre></details>
    </section>"""


def producers_of(message: type[Command | Event]) -> list[str]:
    """Return what sends a message, a phrase each."""
    if issubclass(message, Command):
        (case,) = [case for case in all_use_cases() if case.command is message]
        if case.request:
            return [f"write-api http, for {case.request}"]
        senders = [manager for managers in PROCESS_MANAGERS.values() for manager in managers]
        return [
            f"write-api process-manager, by {each.__name__}" for each in senders if each.__name__ in str(case.handler)
        ]
    if message in OUTCOMES:
        return ["write-api, for each command that changed nothing"]
    commands = [command.__name__ for command, event in LEADS_TO.items() if event is message]
    if commands:
        return [f"write-api relay, from the outbox of {', '.join(commands)}"]
    return ["no process any more; what is stored of it is still read"]


def consumers_of(message: type[Command | Event]) -> list[str]:
    """Return what reads a message, a phrase each."""
    if issubclass(message, Command):
        return ["write-api worker, which handles it", "projector, which records that it was accepted"]
    current = codec.decode_event(message.TYPE, _payload(message))
    managers = [each.__name__ for each in PROCESS_MANAGERS.get(type(current), ())]
    read = [f"write-api process-manager: {name}" for name in managers]
    for store, table in projections.TABLES.items():
        names = [f"{each.__module__.rpartition('.')[2]}.{each.__name__}" for each in table[type(current)]]
        read.append(f"projector, for {store}: {', '.join(names)}")
    return read


def _payload(message: type[Command | Event]) -> bytes:
    return (_EXAMPLES / f"{message.TYPE}.message").read_bytes().partition(b"\n\n")[2]


def _joined(phrases: Iterable[str]) -> str:
    return "<br>".join(map(escape, phrases))
