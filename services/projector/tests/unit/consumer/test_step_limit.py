from cheeper_contracts.events.command_handled import CommandHandled
from projector.consumer.step_limit import StepLimit
from projector.messages.decoding import decode
from projector.stores.base import Item


def test_outcomes_are_passed_but_not_counted(story, author):
    """A limit of two domain messages passes two of them, and the outcome between them."""
    bob = author()
    published = [
        story.signed(bob),
        story.add(CommandHandled(command_type="t", command_key=bob)),
        story.posted(bob),
        story.posted(bob),
    ]
    items = [Item(message=decode(one.message)) for one in published]
    assert StepLimit(2).allowed(items) == items[:3]


def test_without_a_number_there_is_no_limit(story, author):
    """All pass, and it is never reached."""
    items = [Item(message=decode(story.signed(author()).message))]
    limit = StepLimit(None)
    limit.count(1_000)
    assert limit.allowed(items) == items
    assert not limit.reached


def test_the_step_limit_is_reached_when_all_are_counted():
    """The process stops after exactly so many."""
    limit = StepLimit(2)
    limit.count(1)
    assert not limit.reached
    limit.count(1)
    assert limit.reached
