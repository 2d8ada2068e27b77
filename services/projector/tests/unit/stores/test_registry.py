import msgspec
import pytest

from projector.stores.registry import GenerationError, NotComparedError, Registry, State


@pytest.fixture
def two():
    """A registry with an active second generation that was compared."""
    registry = Registry().with_first(1, 10).with_new(2, 20).with_active(2)
    compared = msgspec.structs.replace(registry.of(2), compared_at=30)
    return msgspec.structs.replace(registry, generations={**registry.generations, 2: compared})


def test_only_what_was_compared_becomes_live():
    """The audit's record is asked for, and a generation that is being built has none."""
    registry = Registry().with_first(1, 10).with_new(1, 20)
    with pytest.raises(GenerationError, match="is building, not active"):
        registry.with_live(2)
    with pytest.raises(NotComparedError, match="cheeper-audit --generation 2"):
        registry.with_active(2).with_live(2)


def test_a_rollback_needs_no_comparison(two):
    """Readers have seen the generation that was live just before; any other one is compared again."""
    assert two.with_live(2).with_live(1).live == 1
    third = two.with_live(2).with_new(2, 40).with_active(3)
    compared = msgspec.structs.replace(third.of(3), compared_at=50)
    third = msgspec.structs.replace(third, generations={**third.generations, 3: compared}).with_live(3)
    with pytest.raises(NotComparedError):
        third.with_live(1)


def test_the_live_generation_is_not_deleted(two):
    """Another one must be live first; a deleted one is no way back."""
    with pytest.raises(GenerationError, match="switch to another one"):
        two.with_deleting(1)
    deleting = two.with_live(2).with_deleting(1)
    assert (deleting.previous, deleting.has(1), deleting.without(1).has(1)) == (None, False, False)


def test_a_rebuild_resumes_what_was_never_live(two):
    """Of its own version, and not what is being deleted."""
    assert two.unfinished(2) == two.of(2)
    assert two.unfinished(1) is None
    assert two.with_live(2).unfinished(2) is None
    assert two.with_deleting(2).unfinished(2) is None


def test_the_words_of_earlier_versions_are_read():
    """A store that an earlier version filled has them, and keeps an entry's bytes until the entry changes."""
    entry = {"number": 1, "version": 1, "made_at": 10}
    read = msgspec.convert(
        {"generations": {1: entry | {"state": "standing"}, 2: entry | {"state": "forgetting"}}}, Registry
    )
    assert [one.state for one in read.generations.values()] == [State.ACTIVE, State.DELETING]
