from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cheeper_audit.difference import Difference, Fault, is_uuid, of_fields, of_members

names = st.lists(st.sampled_from("abcdef"), max_size=6)


@given(names, st.lists(st.sampled_from("abcdef"), max_size=6, unique=True))
def test_members_are_faultless_only_in_order_and_each_once(found, expected):
    """Whatever else a list is, it has a fault."""
    assert (of_members(found, expected) == ()) == (found == expected)


def test_each_missing_or_surplus_member_is_a_fault_of_its_own():
    """Each fault is recognized when others come and go."""
    assert of_members(["a", "c"], ["a", "b"]) == (Fault("without b", "with it"), Fault("with c", "without it"))


@given(
    *[st.dictionaries(st.sampled_from("xyz"), st.sampled_from([0, 1, 1.0, True, "1", None, [1]]), max_size=3)] * 2,
)
def test_fields_are_faultless_only_with_the_same_values_and_types(found, expected):
    """1.0 and true are no counts, a field that lacks is no null."""
    same = repr(sorted(found.items())) == repr(sorted(expected.items()))
    assert (of_fields(found, expected) == ()) == same


def test_what_is_there_and_what_is_not_differ():
    """Without a word on the fields."""
    assert of_fields(None, {"x": 1}) == (Fault("nothing", "there"),)
    assert of_fields({"x": 1}, None) == (Fault("there", "nothing"),)
    assert of_fields(None, None) == ()


def test_a_line_names_the_place_and_the_first_faults():
    """However many there are."""
    faults = tuple(Fault(f"without {n}", "with it") for n in range(1_003))
    line = Difference(store="redis", view="followers", id="a", faults=faults).line
    assert line.startswith("redis followers a: is without 0, should be with it; is without 1, ")
    assert line.endswith("; and 1,000 more")


def test_a_long_value_is_cut():
    """A line stays one line."""
    [fault] = of_fields({"bio": "x" * 500 + "\n"}, {"bio": "y"})
    assert len(fault.found) < 100
    assert "\n" not in fault.found


def test_only_the_stores_spelling_is_a_uuid():
    """Another spelling of an id is another key."""
    assert is_uuid("0190a0b0-0000-7000-8000-00000000000a")
    assert not any(is_uuid(text) for text in ("0190A0B0-0000-7000-8000-00000000000A", "{0190}", "", "x" * 32))
