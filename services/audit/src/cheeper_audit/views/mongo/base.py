"""The base of the views in MongoDB: a collection of documents, compared field by field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import ClassVar

import msgspec

from cheeper_audit.difference import Difference, Fault, MongoRepair, StoreName, is_uuid, of_fields
from cheeper_audit.stores.mongo import Document
from cheeper_audit.stores.write_model import Span, WriteModel
from cheeper_audit.views.view import Stores
from cheeper_contracts.views import Collection


class MongoView(ABC):
    """A collection. Both sides are read by ranges of ids, so that a document without a row is found too.

    A field that has a default in the declaration may be missing.
    """

    collection: ClassVar[Collection]

    @property
    def store(self) -> StoreName:
        """The store of the view."""
        return "mongo"

    @property
    def name(self) -> str:
        """The name of the view."""
        return self.collection.name

    @property
    def lag_ms(self) -> int | None:
        """The objective of the view, in milliseconds."""
        return self.collection.lag_ms

    def differences(self, at: Stores, span: Span) -> list[Difference]:
        """Implement View."""
        found = at.mongo.between(self.collection, self.bound(span.after), self.bound(span.upto))
        expected = self.expected(at.write_model, span.ids)
        judged = ((one, self.faults(found.get(one), expected.get(one))) for one in sorted(found.keys() | expected))
        return [
            Difference(store=self.store, view=self.name, id=identifier, faults=faults)
            for identifier, faults in judged
            if faults
        ]

    def repairs(self, at: Stores, ids: Sequence[str]) -> list[MongoRepair]:
        """Implement View."""
        owners = {owner for each in ids if is_uuid(owner := self.owner(each))}
        expected = self.expected(at.write_model, sorted(owners))
        documents = {each: to_document(expected[each]) for each in ids if each in expected}
        return [MongoRepair(self.collection.name, each, documents.get(each)) for each in ids]

    def faults(self, found: Document | None, expected: msgspec.Struct | None) -> tuple[Fault, ...]:
        """Return the faults."""
        if found is None or expected is None:
            return of_fields(found, None if expected is None else to_document(expected))
        return of_fields(_defaults(type(expected)) | found, to_document(expected))

    def bound(self, identifier: str | None) -> str | None:
        """Return the document id at the end of a span's range."""
        return identifier

    def owner(self, identifier: str) -> str:
        """Return the id that owns a document, by which the sweep goes."""
        return identifier

    @abstractmethod
    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> Mapping[str, msgspec.Struct]:
        """Return the documents that should be there, by their own ids."""


class PairsView(MongoView):
    """A collection with a document for a pair of authors, by "<one> <other>", which the one owns."""

    def bound(self, identifier: str | None) -> str | None:
        """Return an id behind all pairs of that author: `!` is next after the space."""
        return None if identifier is None else f"{identifier}!"

    def owner(self, identifier: str) -> str:
        """Return the one."""
        return identifier.partition(" ")[0]


def to_document(struct: msgspec.Struct) -> Document:
    """Return the document as the store has it."""
    return {stored: getattr(struct, name) for stored, name in _names(type(struct))}


@cache
def _names(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    return tuple((field.encode_name, field.name) for field in msgspec.structs.fields(kind))


@cache
def _defaults(kind: type[msgspec.Struct]) -> Document:
    fields = (field for field in msgspec.structs.fields(kind) if not field.required)
    return {
        field.encode_name: field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        for field in fields
    }
