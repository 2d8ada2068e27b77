"""What the views in MongoDB have in common: a collection of documents, compared field by field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import ClassVar

import msgspec

from cheeper_audit.difference import Difference, Fault, MongoMend, StoreName, is_uuid, of_fields
from cheeper_audit.stores.mongo import Document
from cheeper_audit.views.view import Stores
from cheeper_audit.write_model import Span, WriteModel
from cheeper_contracts.views import Collection


class MongoView(ABC):
    """Both sides are read by ranges of ids, so that a document of no row stands out too. A field that the declaration
    gives a default may lack.
    """

    collection: ClassVar[Collection]

    @property
    def store(self) -> StoreName:
        """Where it is."""
        return "mongo"

    @property
    def name(self) -> str:
        """What it is called."""
        return self.collection.name

    @property
    def lag_ms(self) -> int | None:
        """How late it may be."""
        return self.collection.lag_ms

    def differences(self, at: Stores, span: Span) -> list[Difference]:
        """As View has it."""
        found = at.mongo.between(self.collection, self.bound(span.after), self.bound(span.upto))
        expected = self.expected(at.write_model, span.ids)
        judged = ((one, self.faults(found.get(one), expected.get(one))) for one in sorted(found.keys() | expected))
        return [
            Difference(store=self.store, view=self.name, id=identifier, faults=faults)
            for identifier, faults in judged
            if faults
        ]

    def mends(self, at: Stores, ids: Sequence[str]) -> list[MongoMend]:
        """As View has it."""
        owners = {owner for each in ids if is_uuid(owner := self.owner(each))}
        expected = self.expected(at.write_model, sorted(owners))
        documents = {each: to_document(expected[each]) for each in ids if each in expected}
        return [MongoMend(self.collection.name, each, documents.get(each)) for each in ids]

    def faults(self, found: Document | None, expected: msgspec.Struct | None) -> tuple[Fault, ...]:
        """What is otherwise than it should be."""
        if found is None or expected is None:
            return of_fields(found, None if expected is None else to_document(expected))
        return of_fields(_defaults(type(expected)) | found, to_document(expected))

    def bound(self, identifier: str | None) -> str | None:
        """Of a span, the document's id where the span's range ends."""
        return identifier

    def owner(self, identifier: str) -> str:
        """Of a document, the id by which the sweep goes."""
        return identifier

    @abstractmethod
    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> Mapping[str, msgspec.Struct]:
        """The documents that should be there, by their own ids."""


def to_document(struct: msgspec.Struct) -> Document:
    """The document as the store has it."""
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
