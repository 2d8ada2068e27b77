"""Write what is derived from the contracts: JSON Schemas, asyncapi.yaml, and the gateway's table of paths.

    python contracts/tools/generate.py                  write
    python contracts/tools/generate.py --check          write nothing; name each file that differs, exit code 1
    python contracts/tools/generate.py --example TYPE VALUE
                                                        write the golden file of a new message, whose value is this JSON

A golden file is written once, and never changed: it holds what consumers have already seen.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from cheeper_contracts.http.routes import ROUTES
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.envelope import CONTENT_TYPE
from cheeper_contracts.messages import Command, Event
from golden import ROOT, golden_bytes, golden_file, why_broken
from json_schemas import DOCUMENTS, MESSAGES, schema_of

REQUIRED_HEADERS = [
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_time",
    "ce_subject",
    "ce_correlationid",
]
GATEWAY_PATHS: Final = ROOT.parent / "deploy" / "gateway-paths.caddy"


def what_is_wrong(type_name: str) -> str | None:
    """Return a sentence about a fault of a message's golden file, or None."""
    path = golden_file(type_name)
    if not path.exists():
        return "its golden file is missing: write it with generate.py --example"
    return why_broken(MESSAGES[type_name], path.read_bytes())


def write_example(type_name: str, value: str) -> int:
    """Write the golden file of a message that has none. Return the exit code."""
    path = golden_file(type_name)
    if path.exists():
        print(f"{path.relative_to(ROOT)} is there, and is never changed", file=sys.stderr)
        return 1
    if type_name not in MESSAGES:
        print(f"{type_name}: is the message in cheeper_contracts.catalogue?", file=sys.stderr)
        return 1
    try:
        message = msgspec.json.decode(value, type=MESSAGES[type_name])
    except msgspec.DecodeError as error:
        print(f"{type_name}: {error}", file=sys.stderr)
        return 1
    path.write_bytes(golden_bytes(message, codec.encode(message)))
    return 0


def gateway_file() -> dict[Path, bytes]:
    """Return the Caddyfile's table from a path to the methods that it allows."""
    lines = ["# Generated from cheeper_contracts.http.routes by contracts/tools/generate.py."]
    for route in ROUTES:
        pattern = re.sub(r"\{\w+\}", "[^/]+", route.path)
        lines.append(f'~^{pattern}$ "{route.allow}"')
    return {GATEWAY_PATHS: "\n".join([*lines, ""]).encode()}


def schema_files() -> dict[Path, bytes]:
    """Return the JSON Schemas by path: messages by type, view documents by name."""
    named = {**MESSAGES, **{f"views.{document.__name__}": document for document in DOCUMENTS}}
    return {
        ROOT / "schemas" / f"{name}.json": msgspec.json.format(msgspec.json.encode(schema_of(struct)), indent=2) + b"\n"
        for name, struct in named.items()
    }


def asyncapi_file() -> dict[Path, bytes]:
    """Return the AsyncAPI 3.0 document of both topics; the payloads are the JSON Schemas beside it."""
    channels = {
        "commands": (topics.COMMANDS, codec.COMMAND_TYPES.values()),
        "events": (topics.EVENTS, codec.EVENT_TYPES.values()),
    }
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Cheeper",
            "version": "1",
            "description": "CloudEvents 1.0, Kafka binding, binary mode. The Kafka key is the author whose stream a"
            " message belongs to; messages of one key are in order.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {name: channel(topic, messages) for name, (topic, messages) in channels.items()},
        "operations": {
            f"{action}{name.capitalize()}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name in channels
            for action in ("send", "receive")
        },
        "components": {"messages": {name: message_of(message) for name, message in MESSAGES.items()}},
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return {ROOT / "schemas" / "asyncapi.yaml": text.encode()}


def channel(topic: topics.Topic, messages: Iterable[type[Command | Event]]) -> dict[str, Any]:
    """Return a topic as an AsyncAPI channel."""
    return {
        "address": topic.name,
        "messages": {message.__name__: {"$ref": f"#/components/messages/{message.TYPE}"} for message in messages},
        "bindings": {
            "kafka": {"topic": topic.name, "partitions": topic.partitions, "bindingVersion": "0.5.0"},
        },
    }


def message_of(message: type[Command | Event]) -> dict[str, Any]:
    """Return a message as AsyncAPI has it."""
    return {
        "name": message.TYPE,
        "title": message.__name__,
        "summary": " ".join((message.__doc__ or "").split()),
        "headers": {
            "type": "object",
            "required": [*REQUIRED_HEADERS],
            "properties": {"ce_type": {"const": message.TYPE}},
        },
        "payload": {"$ref": f"./{message.TYPE}.json"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "format": "uuid", "description": f"the message's {message.KEY}"},
                "bindingVersion": "0.5.0",
            },
        },
    }


def main(arguments: list[str]) -> int:
    """Write or check all files, or write an example. The exit code."""
    match arguments:
        case ["--example", type_name, value]:
            return write_example(type_name, value)
        case [] | ["--check"]:
            return write_or_check(check=bool(arguments))
    print(__doc__, file=sys.stderr)
    return 2


def write_or_check(*, check: bool) -> int:
    """Write the derived files, or report which differ, and report faults of golden files. Return the exit code."""
    derived = schema_files() | asyncapi_file() | gateway_file()
    wrong = [path for path, wanted in derived.items() if not path.exists() or path.read_bytes() != wanted]
    known = {*derived, *map(golden_file, MESSAGES)}
    stray = [path for folder in ("examples", "schemas") for path in (ROOT / folder).iterdir() if path not in known]
    said = [f"{type_name}: {why}" for type_name in MESSAGES if (why := what_is_wrong(type_name))]
    said += [f"{path.name}: belongs to no message or view" for path in stray]
    if check:
        said += [f"{path.name}: not up to date, run contracts/tools/generate.py" for path in wrong]
    else:
        for path in wrong:
            path.write_bytes(derived[path])
    for sentence in said:
        print(sentence, file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
