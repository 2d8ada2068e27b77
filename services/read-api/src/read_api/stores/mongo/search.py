"""Cheeps and authors by the words in them.

A word's beginning is a range of the index on `words`: an anchored expression is looked up as one, and, unlike
`$elemMatch`, without reading a document to be sure. So one word is found and counted in the index alone, and the
documents of one page are read.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from cheeper_contracts.views import AUTHORS, CHEEPS, AuthorDocument, CheepDocument, Collection
from read_api.queries.search import Results, Wanted
from read_api.stores.mongo.generations import Document
from read_api.stores.mongo.reader import Reader

Found = TypeVar("Found")


class MongoSearch:
    """The view of words. Deleted cheeps and authors who have not signed up have none."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def cheeps(self, wanted: Wanted, *, author_id: str | None, after: str | None) -> Results[CheepDocument]:
        """As `CheepSearch` says."""
        matching = {} if author_id is None else {"author_id": author_id}
        pipeline = _pages(CHEEPS, "cheep_date", wanted, matching)
        return _results(await self._reader.first(CHEEPS, pipeline, after=after), CheepDocument)

    async def authors(self, wanted: Wanted, *, after: str | None) -> Results[AuthorDocument]:
        """As `AuthorSearch` says."""
        pipeline = _pages(AUTHORS, "signed_up_at", wanted, {})
        return _results(await self._reader.first(AUTHORS, pipeline, after=after), AuthorDocument)


def _pages(collection: Collection, time: str, wanted: Wanted, matching: Document) -> list[Document]:
    """One document: the ids of a page in order, their documents in any order, and how many there are on all pages."""
    order = -1 if wanted.newest_first else 1
    words = [{"words": {"$regex": f"^{prefix}"}} for prefix in wanted.prefixes]  # letters and digits: nothing to escape
    page = [{"$sort": {time: order, "_id": order}}, {"$skip": wanted.skip}, {"$limit": wanted.most}]
    return [
        {"$match": {**matching, "$and": words}},
        {"$project": {time: 1}},
        {"$facet": {"page": page, "counted": [{"$count": "total"}]}},
        {"$lookup": {"from": collection.name, "localField": "page._id", "foreignField": "_id", "as": "documents"}},
    ]


def _results(found: tuple[Document | None, bool], shape: type[Found]) -> Results[Found]:
    document, settled = found
    if document is None:
        return Results(documents=[], total=0, settled=settled)
    by_id = {each["_id"]: each for each in document["documents"]}
    return Results(
        documents=[msgspec.convert(by_id[entry["_id"]], shape) for entry in document["page"]],
        total=document["counted"][0]["total"] if document["counted"] else 0,
        settled=settled,
    )
