from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from write_api.bus.ids import made_for, new_id


def test_a_made_id_is_of_version_7_with_the_time_of_its_command():
    """Ids for one command are alike in time, differ by field, and are the same each time."""
    message_id = new_id()
    made = UUID(made_for(message_id, "cheep_id"))
    assert (made.version, made.variant) == (7, UUID(message_id).variant)
    assert made.bytes[:6] == UUID(message_id).bytes[:6]
    assert made_for(message_id, "cheep_id") == str(made) != made_for(message_id, "follow_id")


def test_an_id_for_a_command_from_the_gateway_has_its_time():
    """The gateway tells a command's time in decimal, and the ids made for it are of version 7 with that time."""
    made = UUID(made_for("17953825-0123-8abc-9def-0123456789ab", "cheep_id"))
    assert made.version == 7
    assert int.from_bytes(made.bytes[:6]) == 1_795_382_501_230


@given(st.uuids())
def test_any_key_gives_an_id(key):
    """A key of another version gives an id too, the same each time and not the key's own."""
    made = made_for(str(key), "cheep_id")
    assert made == made_for(str(key), "cheep_id") != str(key)
    assert UUID(made).version in (5, 7)
