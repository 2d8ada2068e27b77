from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.views import (
    COLLECTIONS,
    ENTRY_BYTES,
    KEY_PATTERNS,
    TIMELINE,
    lua_prelude,
    pack_entry,
    stem,
    unpack_entry,
    whole_seconds,
)

cheeps = st.tuples(st.integers(0, 2**53), st.uuids().map(str))


@given(cheeps)
def test_an_entry_round_trips(cheep):
    """An entry unpacks to the date and the id that it was packed from, and has 24 bytes."""
    assert unpack_entry(pack_entry(*cheep)) == cheep
    assert len(pack_entry(*cheep)) == ENTRY_BYTES


@given(cheeps, cheeps)
def test_the_order_of_bytes_is_the_order_of_cheeps(one, other):
    """Entries compare as bytes the way (cheep_date, cheep_id) compares, ids by their 128 bits."""
    assert (pack_entry(*one) < pack_entry(*other)) == ((one[0], UUID(one[1])) < (other[0], UUID(other[1])))


def test_keys_carry_prefix_and_shard_tag():
    """A key begins with the installation's prefix and the shard tag, which Redis Cluster hashes alone."""
    assert TIMELINE.key("test:", "bob") == "test:{0}:timeline:bob"
    assert stem("") == "{0}:"


def test_times_are_whole_seconds_of_utc():
    """Microseconds are cut off, not rounded."""
    assert whole_seconds(1_647_292_130_999_999) == "2022-03-14T21:08:50+00:00"
    assert whole_seconds(0) == "1970-01-01T00:00:00+00:00"
    assert whole_seconds(-1) == "1969-12-31T23:59:59+00:00"


def test_names_are_declared_once():
    """No two views share a key pattern or a collection."""
    assert len({pattern.name for pattern in KEY_PATTERNS}) == len(KEY_PATTERNS)
    assert len({collection.name for collection in COLLECTIONS}) == len(COLLECTIONS)


def test_server_side_functions_get_every_key_pattern_and_the_entries():
    """The prelude names each pattern by its constant, and declares what handles packed entries."""
    prelude = lua_prelude()
    for pattern in KEY_PATTERNS:
        assert f"= '{pattern.name}'" in prelude.splitlines()[0]
    assert "TIMELINE = 'timeline'" in prelude
    for function in ("newer", "cheep_id", "entry_from_hex", "is_hex_entry"):
        assert f"\nlocal function {function}(" in prelude
