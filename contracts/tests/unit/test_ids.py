from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.ids import gateway_milliseconds_of, made_for, milliseconds_of

TIME_ORDERED = "019ad4b5-3d2c-7abc-8def-0123456789ab"
GATEWAYS = "17953825-0123-8abc-9def-0123456789ab"


def test_a_made_id_is_of_version_7_with_the_time_of_its_command():
    """Ids for one command are alike in time, differ by field, and are the same each time."""
    made = UUID(made_for(TIME_ORDERED, "cheep_id"))
    assert (made.version, made.variant) == (7, UUID(TIME_ORDERED).variant)
    assert made.bytes[:6] == UUID(TIME_ORDERED).bytes[:6]
    assert made_for(TIME_ORDERED, "cheep_id") == str(made) != made_for(TIME_ORDERED, "follow_id")


def test_an_id_for_a_command_from_the_gateway_has_its_time():
    """The gateway writes a command's time in decimal, and the ids made for it are of version 7 with that time."""
    made = UUID(made_for(GATEWAYS, "cheep_id"))
    assert made.version == 7
    assert int.from_bytes(made.bytes[:6]) == 1_795_382_501_230


@given(st.uuids())
def test_any_key_gives_an_id(key):
    """A key of another version gives an id too, the same each time and not the key's own."""
    made = made_for(str(key), "cheep_id")
    assert made == made_for(str(key), "cheep_id") != str(key)
    assert UUID(made).version in (5, 7)


def test_the_time_in_an_id():
    """Ids of version 7 and the gateway's contain their time, and others contain none."""
    assert milliseconds_of(GATEWAYS) == 1_795_382_501_230
    assert milliseconds_of(TIME_ORDERED) == int("019ad4b53d2c", 16)
    assert milliseconds_of("6f9619ff-8b86-4011-b42d-00cf4fc964ff") is None


@given(st.integers(0, 10**12 - 1), st.uuids())
def test_the_gateway_s_time_is_read_from_its_ids_alone(tens, random):
    """The time comes back to ten milliseconds, and an id of any other version has none, whatever its digits are."""
    digits = f"{tens:012d}"
    ids = {version: f"{digits[:8]}-{digits[8:]}-{version}{str(random)[15:]}" for version in "123456789abcdef"}
    assert gateway_milliseconds_of(ids.pop("8")) == tens * 10
    assert {gateway_milliseconds_of(each) for each in ids.values()} == {None}


@pytest.mark.parametrize("text", ["", "8", "no id at all", "0019ad4b-53d2-8000", "\u0661" * 8 + "-1234-8"])
def test_what_is_no_id_of_the_gateway_has_no_time(text):
    """Whatever came as an id, reading its time raises nothing."""
    assert gateway_milliseconds_of(text) is None
