import msgspec

from projector.consumer.projecting import item_of, refused_by_store
from projector.messages.decoding import decode
from projector.messages.parked import ParkedMessage
from projector.stores.base import Item, UnappliableError


def crashing(event, meta):
    """Fail on every event."""
    raise ValueError(f"a defect met {event.author_id} at {meta.sequence}")


def test_a_crash_is_poison_and_known_again_by_its_stack(story, author):
    """Two crashes at one place have one digest, whatever message they met; each keeps its error."""
    items = [item_of(crashing, decode(story.signed(author(), partition=0).message)) for _ in range(2)]
    assert items[0].stack_digest == items[1].stack_digest
    assert len(items[0].stack_digest) == 16
    assert [item.poison[-4:] for item in items] == ["at 1", "at 2"]
    parked = items[0].parked("topic")
    assert (parked.stack_digest, parked.reason, parked.behind) == (items[0].stack_digest, items[0].poison, False)


def test_a_parked_message_is_decoded_as_it_was(story, author):
    """Parking keeps all that reading it again needs, poison or not."""
    for value in (None, b"{broken"):
        bob = author()
        published = story.add(story.signed(bob, partition=0).event, value=value)
        incoming = decode(published.message)
        assert item_of(crashing, incoming).parked("topic").decoded() == incoming


def test_every_failure_has_the_digest_of_its_stack(story, author):
    """Messages that cannot be decoded or are refused have a stack digest, as a crash has; a message that is only parked
    behind poison has none, because nothing failed.
    """
    broken = [item_of(crashing, decode(story.add(story.signed(author()).event, value=b"{").message)) for _ in "12"]
    incoming = decode(story.signed(author()).message)
    refused = refused_by_store(incoming, UnappliableError(0, "no hash"))
    digests = [item.parked("topic").stack_digest for item in (*broken, refused)]
    assert [len(digest) for digest in digests] == [16, 16, 16]
    assert digests[0] == digests[1] != digests[2]
    assert Item(message=incoming).parked("topic").stack_digest is None


def test_what_an_older_projector_parked_is_read_still(story, author):
    """It did not say from which topic, and nothing else is missing."""
    parked = item_of(crashing, decode(story.signed(author()).message)).parked("topic")
    fields = msgspec.to_builtins(parked)
    assert fields.pop("source_topic") == "events"
    older = msgspec.convert(fields, ParkedMessage)
    assert older == msgspec.structs.replace(parked, source_topic=None)
    assert older.decoded() == msgspec.structs.replace(parked.decoded(), topic=None)
