"""The requests and their command lines."""

import msgspec
import pytest

from inspector.operations import requests
from inspector.operations.requests import AnyRequest


def request_of(**fields):
    return msgspec.convert({"reason": "a test", **fields}, AnyRequest)


@pytest.mark.parametrize(
    ("fields", "tool", "line"),
    [
        ({"action": "replay", "server": "postgres", "key": "k"}, "write-api", "dead-letters replay -- k"),
        ({"action": "replay", "server": "postgres"}, "write-api", "dead-letters replay --all"),
        (
            {"action": "replay", "server": "redis", "key": "--all"},
            "projector",
            "dead-letters replay --store redis -- --all",
        ),
        ({"action": "drop", "id": "17"}, "write-api", "dead-letters drop 17 --yes"),
        ({"action": "drop", "id": "redis:3:17"}, "projector", "dead-letters drop redis:3:17 --yes"),
        ({"action": "rebuild", "store": "mongo"}, "projector", "rebuild --store mongo"),
        ({"action": "switch", "store": "redis", "generation": 2}, "projector", "switch --store redis --generation 2"),
        ({"action": "roll-back", "store": "redis"}, "projector", "rollback --store redis"),
        ({"action": "forget", "store": "redis", "generation": 1}, "projector", "forget --store redis --generation 1"),
        (
            {"action": "compare", "store": "redis", "generation": 2},
            "audit",
            "--in-service --json --store redis --generation 2",
        ),
        ({"action": "audit"}, "audit", "--in-service --json"),
        ({"action": "repair"}, "audit", "--repair --json"),
    ],
)
def test_each_action_is_one_command_line(fields, tool, line):
    """A request is the command line of a tool, and a key that looks like an option is a key."""
    request = request_of(**fields)
    assert (request.command_line.tool, " ".join(request.command_line.arguments)) == (tool, line)
    assert request.name == fields["action"]
    assert {name: value for name, value in request.parameters.items() if value is not None} == {
        name: value for name, value in fields.items() if name != "action"
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "replay", "server": "kafka"},
        {"action": "replay", "server": "redis", "key": "a\0b"},
        {"action": "drop", "id": "--all"},
        {"action": "drop", "id": "redis:3:"},
        {"action": "drop", "id": "17 18"},
        {"action": "switch", "store": "redis", "generation": 0},
        {"action": "rebuild", "store": "all"},
        {"action": "audit", "more": 1},
        {"action": "audit", "reason": ""},
        {"action": "audit", "reason": "a" * 501},
        {"action": "audit", "reason": "a\0bc"},
        {"action": "migrate"},
        {},
    ],
)
def test_what_is_no_action_is_refused(fields):
    """An unknown action, an unknown field, a value that no tool takes, and an action without a reason are refused."""
    with pytest.raises(msgspec.ValidationError):
        request_of(**fields)
    with pytest.raises(msgspec.ValidationError, match="reason"):
        msgspec.convert({"action": "audit"}, AnyRequest)


def test_an_audits_differences_are_not_failures():
    """Exit code 1 of the audit is an outcome of its own; of every other tool, and any other code, it is a failure."""
    audit, rebuild = request_of(action="audit"), request_of(action="rebuild", store="redis")
    assert [audit.outcome(code) for code in (0, 1, 2)] == [requests.SUCCEEDED, requests.DIFFERENT, requests.FAILED]
    assert [rebuild.outcome(code) for code in (0, 1)] == [requests.SUCCEEDED, requests.FAILED]


def test_differences_are_named_without_what_authors_wrote():
    """A difference is shown with its place and numbers, and each text is cut at its first quote."""
    fault = {"found": "message 'my secret'", "expected": "message 'other'"}
    number = {"found": "cheeps 3", "expected": "cheeps 4"}
    line = {"store": "mongo", "view": "cheeps", "id": "c1", "faults": [fault, number], "repaired": True}
    shown = request_of(action="repair").shown(msgspec.json.encode(line).decode())
    expected = "is message •••, should be message •••; is cheeps 3, should be cheeps 4; repaired"
    assert shown == f"mongo cheeps c1: {expected}"
    assert request_of(action="audit").shown("Compared 3 authors.") == "Compared 3 authors."
