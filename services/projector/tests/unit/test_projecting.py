from projector.decoding import decode
from projector.projecting import item_of


class Crashing:
    """A store with a defect in its projections."""

    def project(self, event, meta):
        raise ValueError(f"a defect met {event.author_id} at {meta.sequence}")


def test_a_crash_is_poison_and_known_again_by_its_stack(story, author):
    """Two crashes at one place have one digest, whatever message they met; each keeps its error."""
    items = [item_of(Crashing(), decode(story.signed(author(), partition=0).message)) for _ in range(2)]
    assert items[0].stack_digest == items[1].stack_digest
    assert len(items[0].stack_digest) == 16
    assert [item.poison[-4:] for item in items] == ["at 1", "at 2"]
    parked = items[0].parked("topic")
    assert (parked.stack_digest, parked.why, parked.behind) == (items[0].stack_digest, items[0].poison, False)


def test_a_parked_message_is_decoded_as_it_was(story, author):
    """Parking keeps all that reading it again needs, poison or not."""
    for value in (None, b"{broken"):
        bob = author()
        told = story.add(story.signed(bob, partition=0).event, value=value)
        incoming = decode(told.message)
        assert item_of(Crashing(), incoming).parked("topic").incoming() == incoming
