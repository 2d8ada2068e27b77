"""From a decoded message to what a store is to do with it."""

from __future__ import annotations

from projector.consumer.decoding import DecodedMessage
from projector.parked.stack_digest import stack_digest
from projector.projections import Project
from projector.projections.meta import meta_of
from projector.stores.base import Item, UnappliableError


def item_of(project: Project, incoming: DecodedMessage) -> Item:
    """The message with its writes, none of an unknown type; or as poison, whatever a projection trips over."""
    envelope, event = incoming.envelope, incoming.event
    if incoming.poison is not None:
        return Item(incoming=incoming, poison=incoming.poison, stack_digest=incoming.stack_digest)
    if envelope is None or event is None or incoming.sequence is None:
        return Item(incoming=incoming)
    try:
        writes = project(event, meta_of(envelope, incoming.partition, incoming.sequence))
    except Exception as error:  # noqa: BLE001 - the message is poison and is kept
        return Item(incoming=incoming, poison=f"{type(error).__name__}: {error}", stack_digest=stack_digest(error))
    return Item(incoming=incoming, writes=writes)


def refused_by_store(incoming: DecodedMessage, error: UnappliableError) -> Item:
    """The message as poison, since the store does not take its writes."""
    return Item(incoming=incoming, poison=str(error), stack_digest=stack_digest(error))
