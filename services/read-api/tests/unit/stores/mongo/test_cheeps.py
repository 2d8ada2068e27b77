from contextlib import nullcontext

import pytest

from read_api.query_bus.query import Result
from read_api.stores.mongo.cheeps import MongoCheeps

CHEEP = "c"


def document(cheep_id, **more):
    return {"_id": cheep_id, "author_id": "a", "author_username": "ann", "message": "Hi", "cheep_date": 1, **more}


class Documents:
    """A reader of a cheep with answers, which runs the two pipelines of a thread and knows which it ran."""

    def __init__(self, number, **stored):
        self._answers = [document(f"{each}", in_reply_to=CHEEP) for each in range(number)]
        self._stored = stored
        self.counts = 0

    def deadline(self):
        return nullcontext()

    async def first(self, _collection, pipeline, *, after):
        if "$count" in pipeline[-1]:
            self.counts += 1
            return Result(data={pipeline[-1]["$count"]: len(self._answers)} if self._answers else None)
        lookup = pipeline[-1]["$lookup"]
        limit = lookup["pipeline"][-1]["$limit"]
        return Result(data=document(CHEEP, **self._stored, answers=self._answers[:limit]), settled=after is None)


@pytest.mark.parametrize("number", [0, 3, 9, 10, 25])
async def test_views_without_the_number_of_answers_never_show_a_wrong_one(number):
    """Documents of before version 3 lack it, and the answers are counted. A number that is stored is not counted."""
    old, new = Documents(number), Documents(number, number_of_answers=number)
    for documents in (old, new):
        found = await MongoCheeps(documents).thread(CHEEP, answers=10, after="command")
        assert (found.data.cheep.number_of_answers, found.settled) == (number, False)
    assert (old.counts, new.counts) == (number >= 10, 0)


async def test_a_cheep_without_answers_costs_no_count():
    """The projector stores the number with the first answer, so most documents lack it in every version."""
    documents = Documents(0)
    await MongoCheeps(documents).thread(CHEEP, answers=10, after=None)
    assert documents.counts == 0
