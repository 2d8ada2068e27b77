import pytest

from read_api.query_bus.query import StoreUnavailableError
from read_api.streams.catch_up import catch_up

pytestmark = pytest.mark.proves(guarantee="streams")


class Sequences:
    """The sequences of a store, one state after the other; the last one stays."""

    def __init__(self, *states):
        self.states, self.reads = list(states), 0

    async def __call__(self):
        self.reads += 1
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


async def test_it_waits_until_each_partition_is_as_far():
    """The wait is not for what the leading store applies meanwhile; a partition that is missing has nothing applied."""
    leading = Sequences({0: 5, 1: 0, 2: 7}, {0: 100})
    following = Sequences({}, {0: 5, 2: 6}, {0: 4, 2: 9}, {0: 5, 2: 7})
    await catch_up(leading, following)
    assert (leading.reads, following.reads) == (1, 4)


async def test_a_store_that_stays_behind_is_unavailable():
    """The wait is bounded, and an error of either store ends it."""
    with pytest.raises(StoreUnavailableError, match="far behind"):
        await catch_up(Sequences({0: 5}), Sequences({0: 4}), seconds=0.01)

    async def gone():
        raise StoreUnavailableError("redis", "gone")

    with pytest.raises(StoreUnavailableError, match="gone"):
        await catch_up(gone, Sequences({}))
