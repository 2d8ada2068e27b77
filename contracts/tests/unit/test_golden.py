"""The golden bytes of a message, with another struct in its place."""

import msgspec
import pytest

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.messages import Command
from golden import golden_file, why_broken
from json_schemas import MESSAGES

pytestmark = pytest.mark.proves(guarantee="contracts")

GOLDEN = golden_file(Follow.TYPE).read_bytes()
FIELDS = {"follow_id": str, "from_author_id": str, "to_author_id": str}


def variant(fields, type_name=Follow.TYPE, key="to_author_id"):
    constants = {"TYPE": type_name, "KEY": key}
    return msgspec.defstruct("Follow", fields, bases=(Command,), namespace=constants, frozen=True, kw_only=True)


@pytest.mark.parametrize("type_name", sorted(MESSAGES))
def test_every_version_of_every_message_has_its_golden_bytes(type_name):
    """A superseded version too: its struct reads and writes what was once written."""
    assert why_broken(MESSAGES[type_name], golden_file(type_name).read_bytes()) is None


@pytest.mark.parametrize(
    "added",
    [
        ("note", str | None, None),
        ("at", int, 0),
        ("tags", list[str], msgspec.field(default_factory=list)),
        ("maybe", str | msgspec.UnsetType, msgspec.UNSET),
    ],
    ids=lambda added: added[0],
)
def test_an_optional_field_may_be_added(added):
    """Older messages are read with its default, and all other bytes stay the same."""
    fields = list(FIELDS.items())
    assert why_broken(variant([*fields, added]), GOLDEN) is None
    assert why_broken(variant([added, *fields]), GOLDEN) is None


@pytest.mark.parametrize(
    "struct",
    [
        variant([("follow_id", str), ("to_author_id", str)]),
        variant([*FIELDS.items(), ("note", str)]),
        variant(list((FIELDS | {"follow_id": int}).items())),
        variant(list((FIELDS | {"follow_id": bytes}).items())),
        variant(list(reversed(FIELDS.items()))),
        variant(FIELDS.items(), key="from_author_id"),
        variant(FIELDS.items(), type_name="cheeper.follow.v2"),
    ],
    ids=[
        "field removed",
        "required field",
        "retyped",
        "read otherwise",
        "another order",
        "another key",
        "another type",
    ],
)
def test_what_changes_the_bytes_is_broken(struct):
    """Other bytes than the golden ones would break the promise to consumers."""
    assert why_broken(struct, GOLDEN)


def test_changed_golden_bytes_are_broken():
    """In a header as in the value."""
    assert why_broken(Follow, GOLDEN.replace(b"ce_specversion: 1.0", b"ce_specversion: 1.1"))
    assert why_broken(Follow, GOLDEN.replace(b'","', b'", "'))
    assert why_broken(Follow, GOLDEN[:-1])
