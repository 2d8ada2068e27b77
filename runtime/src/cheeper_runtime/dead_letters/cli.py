"""The command line of parked messages, as every consumer has it: `dead-letters list`, `show`, `replay` and `drop`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec


class Actions(NamedTuple):
    """The parsers of the four actions, to which a service adds what it chooses messages by."""

    listing: argparse.ArgumentParser
    show: argparse.ArgumentParser
    replay: argparse.ArgumentParser
    drop: argparse.ArgumentParser


def add_to(roles: Any, *, summary: str, id_type: Callable[[str], object], id_help: str) -> Actions:
    """Add the command to the subparsers of a command line. The options have `action`, and `id`, `key`, `all`, `yes`."""
    actions = roles.add_parser("dead-letters", help=summary).add_subparsers(dest="action", required=True)
    parsers = Actions(
        listing=actions.add_parser("list", help="print one line of JSON for each parked message"),
        show=actions.add_parser("show", help="print one message with its headers and value"),
        replay=actions.add_parser("replay", help="process a key's parked messages in order, up to the next poison"),
        drop=actions.add_parser("drop", help="remove one parked message for good"),
    )
    for action in (parsers.show, parsers.drop):
        action.add_argument("id", type=id_type, metavar="ID", help=id_help)
    keys = parsers.replay.add_mutually_exclusive_group(required=True)
    keys.add_argument("key", nargs="?", metavar="KEY", help="the key whose messages are parked")
    keys.add_argument("--all", action="store_true", help="every key that has parked messages")
    parsers.drop.add_argument("--yes", action="store_true", help="confirm that the message is to be dropped")
    return parsers


def write(line: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(line + "\n")


def write_json(fields: dict[str, Any], *, indent: int | None = None) -> None:
    """Write a JSON object to stdout, in one line or indented."""
    text = msgspec.json.encode(fields)
    write((text if indent is None else msgspec.json.format(text, indent=indent)).decode())


def refuse(program: str, reason: str) -> int:
    """Write the reason to stderr, and return the exit code 1."""
    sys.stderr.write(f"{program}: {reason}\n")
    return 1


def text_of(value: bytes) -> str:
    """Return bytes as text; those that are no UTF-8 are escaped."""
    return value.decode(errors="backslashreplace")
