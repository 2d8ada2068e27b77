"""Write what is derived from the contracts: JSON Schemas, asyncapi.yaml, and golden bytes of messages that have none.

    python contracts/tools/generate.py           write
    python contracts/tools/generate.py --check   write nothing; name each file that differs, exit code 1

Golden files are only ever added, never changed: a change of a message's bytes must fail here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import yaml
from examples import EXAMPLES, Message, envelope_of

from cheeper_contracts import codec, topics, views
from cheeper_contracts.commands import COMMANDS, Command
from cheeper_contracts.envelope import CONTENT_TYPE, to_headers
from cheeper_contracts.events import EVENTS, Event

ROOT = Path(__file__).resolve().parents[1]
REQUIRED_HEADERS = [
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_time",
    "ce_subject",
    "ce_correlationid",
]
DOCUMENTS = (views.AuthorDocument, views.CheepDocument, views.CheepRecord, views.CommandRecord)


def golden_bytes(message: Message) -> bytes:
    """A message as Kafka carries it: a line `name: value` per header, an empty line, then the value."""
    headers = b"".join(name.encode() + b": " + value + b"\n" for name, value in to_headers(envelope_of(message)))
    return headers + b"\n" + codec.encode(message)


def golden_files() -> dict[Path, bytes]:
    """The golden files by path, one per message type and version."""
    return {ROOT / "examples" / f"{message.TYPE}.message": golden_bytes(message) for message in EXAMPLES}


def schema_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The struct's JSON Schema, standing alone."""
    (schema,), components = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    name = schema["$ref"].rsplit("/", 1)[-1]
    own = components.pop(name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **own,
        **({"$defs": components} if components else {}),
    }


def schema_files() -> dict[Path, bytes]:
    """The JSON Schemas by path: messages by type, view documents by name."""
    named: dict[str, type[msgspec.Struct]] = {message.TYPE: message for message in (*COMMANDS, *EVENTS)}
    named |= {f"views.{document.__name__}": document for document in DOCUMENTS}
    return {
        ROOT / "schemas" / f"{name}.json": msgspec.json.format(msgspec.json.encode(schema_of(struct)), indent=2) + b"\n"
        for name, struct in named.items()
    }


def asyncapi_file() -> dict[Path, bytes]:
    """The AsyncAPI 3.0 document of both topics; the payloads are the JSON Schemas beside it."""
    channels = {"commands": (topics.COMMANDS, COMMANDS), "events": (topics.EVENTS, EVENTS)}
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
        "components": {"messages": {message.TYPE: message_of(message) for message in (*COMMANDS, *EVENTS)}},
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return {ROOT / "schemas" / "asyncapi.yaml": text.encode()}


def channel(topic: topics.Topic, messages: tuple[type[Command], ...] | tuple[type[Event], ...]) -> dict[str, Any]:
    """A topic as an AsyncAPI channel."""
    return {
        "address": topic.name,
        "messages": {message.__name__: {"$ref": f"#/components/messages/{message.TYPE}"} for message in messages},
        "bindings": {
            "kafka": {"topic": topic.name, "partitions": topic.partitions, "bindingVersion": "0.5.0"},
        },
    }


def message_of(message: type[Command | Event]) -> dict[str, Any]:
    """A message as AsyncAPI has it."""
    return {
        "name": message.TYPE,
        "title": message.__name__,
        "summary": " ".join((message.__doc__ or "").split()),
        "headers": {
            "type": "object",
            "required": [
                "ce_specversion",
                "ce_id",
                "ce_type",
                "ce_source",
                "ce_time",
                "ce_subject",
                "ce_correlationid",
            ],
            "properties": {"ce_type": {"const": message.TYPE}},
        },
        "payload": {"$ref": f"./{message.TYPE}.json"},
    }


def main(arguments: list[str]) -> int:
    """Write or check all files. The exit code."""
    derived = schema_files() | asyncapi_file()
    wrong = [path for path, wanted in derived.items() if not path.exists() or path.read_bytes() != wanted]
    golden = golden_files()
    broken = [path for path, wanted in golden.items() if path.exists() and path.read_bytes() != wanted]
    missing = [path for path in golden if not path.exists()]
    known = {*derived, *golden}
    stray = [path for folder in ("examples", "schemas") for path in (ROOT / folder).iterdir() if path not in known]
    for path in broken:
        print(f"{path.relative_to(ROOT)}: the message's bytes changed, which breaks its consumers", file=sys.stderr)
    if "--check" in arguments:
        for path in (*wrong, *missing):
            print(f"{path.relative_to(ROOT)}: not up to date, run contracts/tools/generate.py", file=sys.stderr)
        for path in stray:
            print(f"{path.relative_to(ROOT)}: belongs to no message or view", file=sys.stderr)
        return 1 if wrong or missing or broken or stray else 0
    for path in wrong:
        path.write_bytes(derived[path])
    for path in missing:
        path.write_bytes(golden[path])
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
