from dataclasses import dataclass

import pytest

from write_api.bus.unit_of_work import ClashError
from write_api.db.repositories.identity_map import IdentityMap
from write_api.domain.errors import UsernameTaken


@dataclass
class Thing:
    name: str
    size: int = 0


class Things(IdentityMap[str, Thing]):
    """Things in a dict. One called "taken" cannot be written. Each read and write is noted."""

    has_unique_name = True

    def __init__(self, rows, *, separately=False):
        super().__init__(None, separately=separately)
        self.rows, self.reads, self.writes = rows, [], []

    async def find(self, identities):
        self.reads.append(set(identities))
        return {one: Thing(one, self.rows[one]) for one in identities if one in self.rows}

    async def write(self, changed):
        self.writes.append([one.name for one in changed])
        if any(one.name == "taken" for one in changed):
            raise UsernameTaken("taken")
        self.rows |= {one.name: one.size for one in changed}


async def test_each_is_read_once():
    """A prefetched thing is not read again, and neither is one that does not exist."""
    things = Things({"a": 1})
    await things.prefetch({"a", "b"})
    assert [await things.get(name) for name in ("a", "b", "c", "c")] == [Thing("a", 1), None, None, None]
    assert things.reads == [{"a", "b"}, {"c"}]


async def test_a_copy_is_handed_out():
    """A change counts once it is saved."""
    things = Things({"a": 1})
    (await things.get("a")).size = 2
    assert await things.get("a") == Thing("a", 1)
    things.put("a", changed := Thing("a", 3))
    changed.size = 4
    assert await things.get("a") == Thing("a", 3)


async def test_an_undone_change_is_forgotten_and_an_accepted_one_stays():
    """`undo` goes back to the last `accept`."""
    things = Things({"a": 1})
    things.put("b", Thing("b", 2))
    things.accept()
    things.put("c", Thing("c", 3))
    things.undo()
    await things.flush()
    assert things.rows == {"a": 1, "b": 2}


async def test_changes_are_written_together_once():
    """One write has all of them, and a second flush has nothing to do."""
    things = Things({})
    for name in "ab":
        things.put(name, Thing(name))
        things.accept()
    for _ in range(2):
        await things.flush()
        things.flushed()
    assert things.writes == [["a", "b"]]


async def test_a_broken_rule_is_a_clash_of_all():
    """If they are written together, it is unknown whose fault it is."""
    things = Things({})
    for name in ("a", "taken"):
        things.put(name, Thing(name))
    with pytest.raises(ClashError):
        await things.flush()


async def test_a_broken_rule_is_a_refusal_of_the_one_that_is_written_separately():
    """Each has a statement of its own, and what was written before is not written again."""
    things = Things({}, separately=True)
    things.put("a", Thing("a"))
    await things.flush()
    things.flushed()
    things.put("taken", Thing("taken"))
    with pytest.raises(UsernameTaken):
        await things.flush()
    assert things.writes == [["a"], ["taken"]]


async def test_a_name_is_not_changed_twice_before_it_is_written():
    """The first name would never be tried. After a flush it was."""
    things = Things({})
    things.put("a", Thing("a"))
    things.accept()
    with pytest.raises(ClashError):
        things.put("a", Thing("a", 2))
    await things.flush()
    things.flushed()
    things.put("a", Thing("a", 2))
