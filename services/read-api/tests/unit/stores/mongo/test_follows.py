from contextlib import contextmanager

import pytest

from read_api.query_bus.paging import Slice
from read_api.query_bus.query import Result, StoreUnavailableError
from read_api.stores.mongo.follows import MongoFollows
from read_api.stores.mongo.listing import LARGEST_PART

SECONDS = 20
"""The time of a deadline. Each look-up takes one second."""


class GapsOnly:
    """A reader of follows of which none has an author who has signed up, without end."""

    def __init__(self):
        self.limits = []
        self._left = None

    @contextmanager
    def deadline(self):
        self._left = SECONDS
        yield
        self._left = None

    async def first(self, _collection, pipeline, *, after):
        assert after is None
        self._left -= 1
        if self._left < 0:
            raise StoreUnavailableError("mongo", "too late")
        (limit,) = [stage["$limit"] for stage in pipeline[-1]["$lookup"]["pipeline"] if "$limit" in stage]
        self.limits.append(limit)
        entries = [{"since": 1, "other_id": "x", "author": []}] * limit
        return Result(data={"entries": entries})


@pytest.mark.parametrize("which", ["followers", "following"])
async def test_all_parts_of_a_page_have_one_deadline(which):
    """A page over gaps without end is given up at its deadline, in parts that grow up to a bound."""
    reader = GapsOnly()
    with pytest.raises(StoreUnavailableError):
        await getattr(MongoFollows(reader), which)("author", Slice(beyond=None, limit=11), after=None)
    assert len(reader.limits) == SECONDS
    assert reader.limits[:3] == [11, 22, 44]
    assert max(reader.limits) == LARGEST_PART
