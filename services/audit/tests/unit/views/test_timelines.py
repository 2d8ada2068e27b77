from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cheeper_audit.views.redis.entries import equal, split
from cheeper_audit.views.redis.timelines import Timeline, judge
from cheeper_contracts import views

ENTRIES = [views.pack_entry(date, str(UUID(int=date))) for date in range(9, 0, -1)]
numbers = st.integers(0, len(ENTRIES) - 1)


def ids(entries):
    return {views.unpack_entry(entry)[1] for entry in entries}


@given(st.lists(numbers, max_size=12), st.sets(numbers), st.sets(numbers), st.none() | numbers)
def test_a_timeline_is_faultless_only_as_readers_need_it(listed, followed, deleted, floor):
    """The living entries of the list are those of the followed authors above the floor, in order, and no others."""
    entries = [ENTRIES[n] for n in listed]
    low = None if floor is None else ENTRIES[floor]
    above = [ENTRIES[n] for n in sorted(followed - deleted) if low is None or ENTRIES[n] > low]
    dead = ids(ENTRIES[n] for n in deleted)
    alive = [entry for entry in entries if not ids([entry]) & dead]
    ordered = entries == sorted(set(entries), reverse=True)
    right = ordered and alive == above and all(low is None or entry > low for entry in entries)
    assert (judge(Timeline(entries, low), above, dead) == ()) == right


@given(st.sets(numbers), st.sets(numbers), st.none() | numbers)
def test_the_right_timeline_is_faultless(followed, deleted, floor):
    """With entries of deleted cheeps in it or without."""
    low = None if floor is None else ENTRIES[floor]
    above = [ENTRIES[n] for n in sorted(followed | deleted) if low is None or ENTRIES[n] > low]
    dead = ids(ENTRIES[n] for n in deleted)
    alive = [entry for entry in above if not ids([entry]) & dead]
    assert judge(Timeline(above, low), alive, dead) == judge(Timeline(alive, low), alive, dead) == ()


def test_a_list_over_its_cap_is_a_fault():
    """Even where each entry belongs there."""
    entries = [views.pack_entry(date, str(UUID(int=date))) for date in range(views.TIMELINE_ENTRIES + 1, 0, -1)]
    [fault] = judge(Timeline(entries, None), entries, set())
    assert "801" in fault.found


def test_what_is_no_entry_is_a_fault():
    """A list may hold anything."""
    [fault] = judge(Timeline([ENTRIES[0], b"x"], None), [ENTRIES[0]], set())
    assert "no entry" in fault.found


@given(st.lists(st.binary(min_size=20, max_size=28), max_size=4))
def test_entries_are_a_text_only_as_it_is_cut(listed):
    """Pieces of other lengths are no entries, whatever they join to."""
    text = b"".join(listed)
    assert equal(listed, text) == (listed == split(text) and len(text) % views.ENTRY_BYTES == 0)
    assert equal(split(text), text) == (len(text) % views.ENTRY_BYTES == 0)
