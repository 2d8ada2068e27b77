"""The bus over both write models: every handled command leaves one message, and the same command changes nothing."""

import itertools

import pytest

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from write_api.bus.bus import MAX_BATCH
from write_api.bus.ids import new_id
from write_api.bus.outcome import MESSAGE_ID_REUSED, Outcome
from write_api.domain.author import AHEAD_MAX

pytestmark = pytest.mark.store

NOW = 1_647_292_130_123_456
SECOND = 1_000_000
HOURS = 5 * 3600 * SECOND


def a_follow(one, other, follow_id=None):
    return Follow(follow_id=follow_id or new_id(), from_author_id=one.author_id, to_author_id=other.author_id)


def a_post(author, message="Hello", cheep_id=None):
    return PostCheep(cheep_id=cheep_id or new_id(), author_id=author.author_id, message=message)


DONE, TRUE_ALREADY = Outcome(changed=True), Outcome()


async def test_a_batch_is_handled_in_order(world, a_sign_up):
    """Later commands of a batch see what earlier ones did, and the messages stand in the same order."""
    alice, bob = a_sign_up(name="Alice"), a_sign_up()
    outcomes = await world.handle(alice, bob, follow := a_follow(alice, bob), post := a_post(bob, " Hi "))
    assert outcomes == [DONE] * 4
    assert await world.events() == [
        NewAuthorSigned(author_id=alice.author_id, username=alice.username, signed_up_at=NOW, name="Alice"),
        NewAuthorSigned(author_id=bob.author_id, username=bob.username, signed_up_at=NOW + 1),
        AuthorFollowed(
            follow_id=follow.follow_id,
            from_author_id=alice.author_id,
            to_author_id=bob.author_id,
            followed_at=NOW + 2,
        ),
        CheepPosted(
            cheep_id=post.cheep_id,
            author_id=bob.author_id,
            author_username=bob.username,
            message="Hi",
            cheep_date=NOW + 3,
        ),
    ]
    assert world.woken == 1


async def test_a_message_names_what_it_replies_to(world, a_sign_up):
    """It has an id of its own, the command's key, correlation and trace, and the command as its cause."""
    command = world.incoming(a_sign_up())
    await world.bus.handle([command])
    ((event, envelope),) = await world.messages()
    assert envelope.message_id != command.envelope.message_id
    assert (envelope.type, envelope.source, envelope.key) == (event.TYPE, "/test", command.command.author_id)
    assert envelope.reply_to == envelope.correlation_id == command.envelope.message_id
    assert (envelope.traceparent, envelope.sequence) == (command.envelope.traceparent, None)


async def test_a_refusal_is_a_message_too_and_undoes_its_own_work_alone(world, people, a_sign_up):
    """The commands around it are handled, and it leaves CommandRejected with its code and sentence."""
    _, bob = people
    taken = a_sign_up(username=bob.username)
    outcomes = await world.handle(a_post(bob), taken, a_post(bob))
    assert [outcome.code for outcome in outcomes] == [None, "username_taken", None]
    rejected = (await world.events())[-2]
    assert rejected == CommandRejected(
        command_type=SignUp.TYPE,
        command_key=taken.author_id,
        code="username_taken",
        message=f'The username "{bob.username}" is taken',
    )


@pytest.mark.parametrize("batches", [1, 2])
async def test_the_same_message_id_has_one_effect(world, people, batches):
    """Within a batch and later, the same command has the same outcome as before and leaves nothing more."""
    _, bob = people
    command = world.incoming(a_post(bob))
    if batches == 1:
        outcomes = await world.bus.handle([command, command])
    else:
        outcomes = [*await world.bus.handle([command]), *await world.bus.handle([command])]
    assert outcomes == [DONE, DONE]
    assert len(await world.events()) == 3


async def test_a_refused_command_stays_refused(world, people, a_sign_up):
    """A repeat gets the same refusal though its reason no longer holds, and leaves no second message."""
    alice, _ = people
    charlie = a_sign_up()
    too_early = world.incoming(a_follow(alice, charlie))
    (refused,) = await world.bus.handle([too_early])
    await world.handle(charlie)
    assert await world.bus.handle([too_early]) == [refused]
    assert refused.code == "author_not_found"
    assert len(await world.events()) == 4


async def test_a_message_id_belongs_to_one_command(world, people, a_sign_up):
    """Another command with it is refused without an effect and without a message."""
    _, bob = people
    message_id = new_id()
    await world.handle(a_post(bob), message_id=message_id)
    for other in (a_post(bob), a_sign_up()):
        (outcome,) = await world.handle(other, message_id=message_id)
        assert outcome.code == MESSAGE_ID_REUSED
    assert len(await world.events()) == 3


async def test_acts_that_are_already_true_change_nothing(world, people):
    """A second follow by any id and the same post leave CommandHandled."""
    alice, bob = people
    follow, post = a_follow(alice, bob), a_post(bob)
    await world.handle(follow, post)
    again = [follow, a_follow(alice, bob), post, a_post(bob, "  Hello\n", post.cheep_id)]
    assert await world.handle(*again) == [TRUE_ALREADY] * 4
    expected = [CommandHandled(command_type=one.TYPE, command_key=one.key) for one in again]
    assert (await world.events())[-4:] == expected


async def test_ids_that_are_taken_are_refused(world, people, a_sign_up):
    """The same id with other content, or of another author or pair, is refused by its own code."""
    alice, bob = people
    follow, post = a_follow(alice, bob), a_post(bob)
    await world.handle(follow, post)
    outcomes = await world.handle(
        a_sign_up(author_id=bob.author_id),
        a_sign_up(email=bob.email.upper()),
        a_follow(bob, alice, follow.follow_id),
        a_post(bob, "Other", post.cheep_id),
        a_post(alice, cheep_id=post.cheep_id),
    )
    codes = ["author_id_taken", "email_taken", "follow_id_taken", "cheep_id_taken", "cheep_id_taken"]
    assert [outcome.code for outcome in outcomes] == codes


async def test_unknown_authors_are_refused(world, people, a_sign_up):
    """Nobody follows, is followed or posts without having signed up."""
    alice, _ = people
    unknown = a_sign_up()
    outcomes = await world.handle(a_follow(alice, unknown), a_follow(unknown, alice), a_post(unknown))
    message = f'Author "{unknown.author_id}" does not exist'
    assert [(outcome.code, outcome.message) for outcome in outcomes] == [("author_not_found", message)] * 3


async def test_what_is_invalid_is_refused_by_the_worker_too(world, people, a_sign_up):
    """A command that did not come through HTTP is checked as well."""
    alice, bob = people
    outcomes = await world.handle(a_post(bob, " "), a_follow(alice, alice), a_sign_up(username=""))
    assert [outcome.code for outcome in outcomes] == ["invalid", "cannot_follow_self", "invalid"]


async def test_cheep_dates_rise_when_the_clock_is_set_back(world, people):
    """A cheep is later than its author's last one, in this batch or before."""
    _, bob = people
    await world.handle(a_post(bob))
    world.clock = itertools.repeat(NOW - 1_000_000)
    await world.handle(a_post(bob), a_post(bob))
    dates = [event.cheep_date for event in await world.events() if isinstance(event, CheepPosted)]
    assert dates == [dates[0], dates[0] + 1, dates[0] + 2]


async def test_a_post_under_a_clock_far_ahead_dates_no_later_one(world, people):
    """The posts before and after it have the dates of the right clock, in their order, also within one batch."""
    _, bob = people
    moments = iter([NOW, NOW + HOURS, NOW + SECOND, NOW + 2 * SECOND, NOW + HOURS + SECOND, NOW + 3 * SECOND])
    world.clock = moments
    batches = ([a_post(bob)], [a_post(bob)], [a_post(bob), a_post(bob)], [a_post(bob)], [a_post(bob)], [a_post(bob)])
    for batch in batches:
        await world.handle(*batch)
    dates = [event.cheep_date - NOW for event in await world.events() if isinstance(event, CheepPosted)]
    assert dates == [0, HOURS, SECOND, SECOND + 1, 2 * SECOND, HOURS + SECOND, 3 * SECOND]


async def test_a_date_that_a_cheep_far_ahead_has_is_not_given_again(world, people):
    """If the next date is taken by a cheep further ahead, the transaction runs again at a later time."""
    _, bob = people
    world.clock = itertools.repeat(NOW + AHEAD_MAX)
    await world.handle(a_post(bob), a_post(bob))
    world.clock = iter([NOW, NOW + 1, NOW + 1])  # by the first, one of the two counts, and by the second both
    outcome = await world.handle(a_post(bob))
    dates = [event.cheep_date - NOW for event in await world.events() if isinstance(event, CheepPosted)]
    assert outcome == [DONE]
    assert dates[:2] == [AHEAD_MAX, AHEAD_MAX + 1]
    assert world.memory or dates[2] == AHEAD_MAX + 2  # the table in memory has no rule of its own about dates


async def test_a_batch_has_a_limit(world, a_sign_up):
    """More subtransactions than Postgres keeps at hand are not begun."""
    with pytest.raises(ValueError, match=str(MAX_BATCH)):
        await world.handle(*[a_sign_up() for _ in range(MAX_BATCH + 1)])
    assert await world.handle(*[a_sign_up() for _ in range(MAX_BATCH)]) == [DONE] * MAX_BATCH
