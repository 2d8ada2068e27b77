import pytest

from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.events.email_changed import EmailChanged
from write_api.bus.ids import new_id

pytestmark = pytest.mark.store


async def test_a_change_is_told_without_the_address(world, people):
    """Another spelling of the author's own is a change too."""
    author_id = people[0].author_id
    for address in ("new@example.com", "NEW@example.com"):
        await world.handle(ChangeEmail(author_id=author_id, email=address))
        event = (await world.events())[-1]
        assert event == EmailChanged(author_id=author_id, changed_at=event.changed_at)


async def test_whoever_guesses_an_author_s_address_learns_nothing(world, people):
    """The outcome and the event of the address that the author has are those of any other that is free."""
    alice, _ = people
    guesses = [ChangeEmail(author_id=alice.author_id, email=email) for email in (alice.email, "new@example.com")]
    of_hers, of_another = [(await world.handle(guess))[0] for guess in guesses]
    assert of_hers == of_another
    assert of_hers.changed
    assert [type(event) for event in (await world.events())[-2:]] == [EmailChanged] * 2


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
