import pytest

from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.email_changed import EmailChanged
from write_api.bus.ids import new_id

pytestmark = pytest.mark.store


async def test_the_event_of_a_change_has_no_address(world, people):
    """Another spelling of the author's own is a change too."""
    author_id = people[0].author_id
    for address in ("new@example.com", "NEW@example.com"):
        await world.handle(ChangeEmail(author_id=author_id, email=address))
        event = (await world.events())[-1]
        assert event == EmailChanged(author_id=author_id, changed_at=event.changed_at)


async def test_the_same_address_is_no_change(world, people):
    """It is the author's already."""
    alice, _ = people
    await world.handle(ChangeEmail(author_id=alice.author_id, email=alice.email))
    handled = CommandHandled(command_type=ChangeEmail.TYPE, command_key=alice.author_id)
    assert (await world.events())[-1] == handled


async def test_an_address_is_of_one_author(world, people, a_sign_up):
    """In any spelling, for changes and sign-ups alike; a former one is free, within one batch too."""
    alice, bob = people
    codes = await world.codes(
        ChangeEmail(author_id=alice.author_id, email=bob.email.upper()),
        ChangeEmail(author_id=bob.author_id, email="bob@example.com"),
        ChangeEmail(author_id=alice.author_id, email=bob.email.upper()),
        a_sign_up(email="BOB@example.com"),
        a_sign_up(email=alice.email),
    )
    assert codes == ["email_taken", None, None, "email_taken", None]


async def test_an_address_keeps_its_rule_and_is_an_author_s(world, people):
    """A refusal does not repeat the address, since it travels in an event."""
    (invalid, unknown) = await world.handle(
        ChangeEmail(author_id=people[0].author_id, email="bob"), ChangeEmail(author_id=new_id(), email="b@b.com")
    )
    assert (invalid.code, unknown.code) == ("invalid", "author_not_found")
    assert "b@b.com" not in f"{invalid.message} {unknown.message}"


async def test_a_sign_up_does_not_bring_an_address_back(world, people):
    """An author's sign-up under another message id is refused, and leaves the address free that the author has left."""
    alice, bob = people
    await world.handle(ChangeEmail(author_id=alice.author_id, email="new@example.com"))
    codes = await world.codes(alice, ChangeEmail(author_id=bob.author_id, email=alice.email))
    assert codes == ["author_id_taken", None]
