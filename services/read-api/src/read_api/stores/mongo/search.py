"""Cheeps and authors by the words in them.

The words with a given beginning are a range of the index on `words`. MongoDB looks up an anchored regular expression as
such a range and, unlike `$elemMatch`, reads no document to verify it. So a search for one word is found and counted in
the index alone, and only the documents of one page are read. Of what matches only the first TOTAL_MAX in order are
kept, and one more, which shows that there are more.

The entries of the index that match are all read, since those of several words are in no common order. The time that
this may take is bounded: the server ends a search after SEARCH_MS.
"""

from __future__ import annotations

from asyncio import CancelledError, sleep
from typing import Final, TypeVar

import msgspec

from cheeper_contracts.views import AUTHORS, CHEEPS, AuthorDocument, CheepDocument, Collection
from read_api.queries.search import TOTAL_MAX, Matches, SearchRequest
from read_api.query_bus.query import Result
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.reader import Reader

SEARCH_MS: Final = 1_000
"""The longest time of a search in the server. A word of 100,000 cheeps takes about 0.2 s of a core."""
NOTICED_SECONDS: Final = 0.5
"""The server checks every half second whether the client of an operation is still connected. A cancelled search keeps
its place for that long, so that no more searches run than have one, however fast clients come and go.
"""

Shape = TypeVar("Shape")


class MongoSearch:
    """The view of words. Deleted cheeps and authors who have not signed up have none."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def cheeps(
        self, request: SearchRequest, *, author_id: str | None, after: str | None
    ) -> Result[Matches[CheepDocument]]:
        """Implement `CheepSearch`."""
        matching = {} if author_id is None else {"author_id": author_id}
        return await self._search(CHEEPS, CheepDocument, _page(CHEEPS, "cheep_date", request, matching), after)

    async def authors(self, request: SearchRequest, *, after: str | None) -> Result[Matches[AuthorDocument]]:
        """Implement `AuthorSearch`."""
        return await self._search(AUTHORS, AuthorDocument, _page(AUTHORS, "signed_up_at", request, {}), after)

    async def _search(
        self, collection: Collection, shape: type[Shape], pipeline: list[Document], after: str | None
    ) -> Result[Matches[Shape]]:
        try:
            found = await self._reader.first(collection, pipeline, after=after)
        except CancelledError:  # its connection is closed, and the server ends the search a moment later
            await sleep(NOTICED_SECONDS)
            raise
        document = found.data or {"page": [], "documents": [], "counted": []}
        by_id = {each["_id"]: each for each in document["documents"]}
        counted = document["counted"][0]["total"] if document["counted"] else 0
        matches = Matches(
            documents=[msgspec.convert(by_id[entry["_id"]], shape) for entry in document["page"]],
            total=min(counted, TOTAL_MAX),
            total_is_capped=counted > TOTAL_MAX,
        )
        return Result(data=matches, settled=found.settled)


def _page(collection: Collection, time: str, request: SearchRequest, matching: Document) -> list[Document]:
    """Return a pipeline that gives the ids of a page in order, their documents in any order, and the number of all."""
    order = -1 if request.newest_first else 1
    words = [{"words": {"$regex": f"^{prefix}"}} for prefix in request.prefixes]  # letters and digits need no escaping
    page = [{"$limit": TOTAL_MAX}, {"$skip": request.skip}, {"$limit": request.limit}]
    return [
        {"$match": {**matching, "$and": words}},
        {"$project": {time: 1}},
        {"$sort": {time: order, "_id": order}},
        {"$limit": TOTAL_MAX + 1},
        {"$facet": {"page": page, "counted": [{"$count": "total"}]}},
        {"$lookup": {"from": collection.name, "localField": "page._id", "foreignField": "_id", "as": "documents"}},
    ]
