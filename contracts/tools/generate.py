"""Write what is derived from the contracts: JSON Schemas, asyncapi.yaml, and the gateway's table of paths.

    python contracts/tools/generate.py                  write
    python contracts/tools/generate.py --check          write nothing; name each file that differs, exit code 1
    python contracts/tools/generate.py --example TYPE VALUE
                                                        write the golden file of a new message, whose value is this JSON

A golden file is written once, and never changed: it holds what consumers have already seen. A change of a message's
bytes must fail here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from cheeper_contracts import codec, topics, views
from cheeper_contracts.catalogue import COMMANDS, EVENTS
from cheeper_contracts.envelope import CONTENT_TYPE, Envelope, to_headers
from cheeper_contracts.messages import Command, Event
from cheeper_contracts.routes import ROUTES

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
DOCUMENTS = (
    views.AuthorDocument,
    views.FollowDocument,
    views.CheepDocument,
    views.DeletedCheepDocument,
    views.NotificationDocument,
    views.CheepRecord,
    views.CommandRecord,
)
GATEWAY_PATHS: Final = ROOT.parent / "deploy" / "gateway-paths.caddy"

COMMAND_ID: Final = "0195a1c8-52f4-7c7e-9d3a-4f6b2a1c0d11"
EVENT_ID: Final = "0195a1c8-52f9-7b1f-8a27-90f0c7b45e22"
MOMENT: Final = 1_647_292_130_123_456  # 2022-03-14T21:08:50.123456+00:00


def decoded(type_name: str, value: bytes) -> Command | Event:
    """The message of that type. Raises UnknownMessageTypeError or MalformedMessageError."""
    if type_name in codec.COMMAND_TYPES:
        return codec.decode_command(type_name, value)
    return codec.decode_event(type_name, value)


def envelope_of(message: Command | Event) -> Envelope:
    """The envelope that an example travels in: a client's command has neither cause nor sequence, an event both."""
    is_event = isinstance(message, Event)
    return Envelope(
        message_id=EVENT_ID if is_event else COMMAND_ID,
        type=message.TYPE,
        source="/write-api/worker" if is_event else "/write-api/http",
        time=MOMENT,
        key=message.key,
        correlation_id=COMMAND_ID,
        reply_to=COMMAND_ID if is_event else None,
        sequence=7 if is_event else None,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )


def golden_bytes(message: Command | Event) -> bytes:
    """A message as Kafka carries it: a line `name: value` per header, an empty line, then the value."""
    headers = b"".join(name.encode() + b": " + value + b"\n" for name, value in to_headers(envelope_of(message)))
    return headers + b"\n" + codec.encode(message)


def golden_file(type_name: str) -> Path:
    """Where the golden bytes of a message type and version are."""
    return ROOT / "examples" / f"{type_name}.message"


def why_broken(type_name: str) -> str | None:
    """What is wrong with a message's golden file, or none."""
    path = golden_file(type_name)
    if not path.exists():
        return "is missing: write it with generate.py --example"
    golden = path.read_bytes()
    try:
        message = decoded(type_name, golden.partition(b"\n\n")[2])
    except codec.MalformedMessageError as error:
        return f"can be read no longer, which breaks what is stored: {error}"
    return None if golden_bytes(message) == golden else "the message's bytes changed, which breaks its consumers"


def write_example(type_name: str, value: str) -> int:
    """Write the golden file of a message that has none. The exit code."""
    path = golden_file(type_name)
    if path.exists():
        print(f"{path.relative_to(ROOT)} is there, and is never changed", file=sys.stderr)
        return 1
    try:
        path.write_bytes(golden_bytes(decoded(type_name, value.encode())))
    except (codec.UnknownMessageTypeError, codec.MalformedMessageError) as error:
        print(f"{error!r}: is the message in cheeper_contracts.catalogue?", file=sys.stderr)
        return 1
    return 0


def gateway_file() -> dict[Path, bytes]:
    """The Caddyfile's table from a path to the methods that it allows."""
    lines = ["# Generated from cheeper_contracts.routes by contracts/tools/generate.py."]
    for route in ROUTES:
        pattern = re.sub(r"\{\w+\}", "[^/]+", route.path)
        lines.append(f'~^{pattern}$ "{route.allow}"')
    return {GATEWAY_PATHS: "\n".join([*lines, ""]).encode()}


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


def channel(topic: topics.Topic, messages: tuple[type[Command | Event], ...]) -> dict[str, Any]:
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
    """Write or check all files, or write an example. The exit code."""
    match arguments:
        case ["--example", type_name, value]:
            return write_example(type_name, value)
        case [] | ["--check"]:
            return write_or_check(check=bool(arguments))
    print(__doc__, file=sys.stderr)
    return 2


def write_or_check(*, check: bool) -> int:
    """Write what is derived or say what differs, and in any case what is wrong with golden files. The exit code."""
    derived = schema_files() | asyncapi_file() | gateway_file()
    wrong = [path for path, wanted in derived.items() if not path.exists() or path.read_bytes() != wanted]
    types = [message.TYPE for message in (*COMMANDS, *EVENTS)]
    known = {*derived, *map(golden_file, types)}
    stray = [path for folder in ("examples", "schemas") for path in (ROOT / folder).iterdir() if path not in known]
    said = [f"{golden_file(type_name).name}: {why}" for type_name in types if (why := why_broken(type_name))]
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
