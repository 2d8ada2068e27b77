from types import SimpleNamespace

from projector.consumer.positions import Position
from projector.stores.base import Checkpoint


def messages(*sequences):
    return [SimpleNamespace(sequence=sequence) for sequence in sequences]


def at(sequence, **fields):
    position = Position()
    position.checkpoint = Checkpoint(sequence=sequence, topic_id="topic", offset=sequence + 9, **fields)
    return position


def sequences(found):
    return [message.sequence for message in found]


def test_duplicates_are_left_out():
    """What the store has is not handed to it again."""
    fresh, gap = at(5).continued_by(messages(3, 4, 5, 6, 6, 7))
    assert (sequences(fresh), gap) == ([6, 7], False)


def test_nothing_after_a_gap_is_taken():
    """Order within a key is worth more than progress."""
    fresh, gap = at(5).continued_by(messages(6, 8, 7))
    assert (sequences(fresh), gap) == ([6], True)


def test_a_message_without_a_sequence_is_kept_in_its_place():
    """The store decides on it, by its offset."""
    fresh, _ = at(5).continued_by(messages(None, 6))
    assert sequences(fresh) == [None, 6]


def test_a_missing_message_is_sought_at_the_checkpoint_then_in_the_whole_log_then_awaited():
    """Each step reads more than the one before, and the last one only waits."""
    position = at(5)
    assert position.missing()
    assert position.next_offset("topic") == 15
    assert position.missing()
    assert position.next_offset("topic") is None
    assert not position.missing()


def test_the_search_of_the_whole_log_passes_over_what_comes_too_early():
    """In a log that was filled again the missing message may stand behind later ones."""
    position = at(5)
    position.missing()
    position.missing()
    fresh, gap = position.continued_by(messages(8, 9, 6, 7, 8))
    assert (sequences(fresh), gap) == ([6, 7, 8], True)


def test_progress_ends_the_search():
    """A later gap is sought from the start again."""
    position = at(5)
    position.missing()
    position.moved(Checkpoint(sequence=6))
    assert position.missing()
    assert position.next_offset("") == 0


def test_the_last_message_is_told_again_in_another_topic():
    """So the store learns its place in a log that was filled again, and the group's lag is right at rest."""
    assert sequences(at(5).last_again(messages(4, 5, 6, 5), "another")) == [5]
    assert at(5).last_again(messages(4, 5, 6), "topic") == []
    assert at(5).last_again(messages(4, 6), "another") == []


def test_another_topic_is_read_from_its_beginning():
    """An offset means nothing in a topic of another id."""
    assert at(5).next_offset("another") is None
