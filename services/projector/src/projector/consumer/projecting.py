"""From a decoded message to what a store is to do with it."""

from __future__ import annotations

from projector.messages.decoding import DecodedMessage
from projector.messages.stack_digest import stack_digest
from projector.projections import Project
from projector.projections.meta import meta_of
from projector.stores.base import Item, UnappliableError


def item_of(project: Project, message: DecodedMessage) -> Item:
    """Return the message with its writes, none for an unknown type. It is poison if the projection raises anything."""
    envelope, event = message.envelope, message.event
    if message.poison is not None:
        return Item(message=message, poison=message.poison, stack_digest=message.stack_digest)
    if envelope is None or event is None or message.sequence is None:
        return Item(message=message)
    try:
        writes = project(event, meta_of(envelope, message.partition, message.sequence))
    except Exception as error:  # noqa: BLE001 - the message is poison and is kept
        return Item(message=message, poison=f"{type(error).__name__}: {error}", stack_digest=stack_digest(error))
    return Item(message=message, writes=writes)


def refused_by_store(message: DecodedMessage, error: UnappliableError) -> Item:
    """Return the message as poison, since the store cannot apply its writes."""
    return Item(message=message, poison=str(error), stack_digest=stack_digest(error))
