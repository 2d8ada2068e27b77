"""What the views in MongoDB have in common: a collection of documents, compared field by field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

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
    unordered: ClassVar[frozenset[str]] = frozenset()
    """Lists whose order says nothing."""

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

    def mend(self, at: Stores, difference: Difference) -> MongoMend:
        """As View has it."""
        owner = self.owner(difference.id)
        expected = self.expected(at.write_model, (owner,)) if is_uuid(owner) else {}
        document = expected.get(difference.id)
        return MongoMend(self.collection.name, difference.id, None if document is None else to_document(document))

    def faults(self, found: Document | None, expected: msgspec.Struct | None) -> tuple[Fault, ...]:
        """What is otherwise than it should be."""
        wanted = None if expected is None else self._in_order(to_document(expected))
        if found is not None and expected is not None:
            found = self._in_order(_defaults(expected) | found)
        return of_fields(found, wanted)

    def bound(self, identifier: str | None) -> str | None:
        """Of a span, the document's id where the span's range ends."""
        return identifier

    def owner(self, identifier: str) -> str:
        """Of a document, the id by which the sweep goes."""
        return identifier

    @abstractmethod
    def expected(self, write_model: WriteModel, ids: tuple[str, ...]) -> Mapping[str, msgspec.Struct]:
        """The documents that should be there, by their own ids."""

    def _in_order(self, document: Document) -> Document:
        return {name: _sorted(value) if name in self.unordered else value for name, value in document.items()}


def to_document(struct: msgspec.Struct) -> Document:
    """The document as the store has it."""
    return {field.encode_name: getattr(struct, field.name) for field in msgspec.structs.fields(struct)}


def _defaults(struct: msgspec.Struct) -> Document:
    fields = (field for field in msgspec.structs.fields(struct) if not field.required)
    return {
        field.encode_name: field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        for field in fields
    }


def _sorted(value: Any) -> Any:
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return sorted(value) if texts else value
