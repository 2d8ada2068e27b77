"""Batches whose aggregates are read and written together have the same outcomes and messages, in few statements."""

import itertools
import random
from collections import Counter

import pytest
from sqlalchemy import event, text

from cheeper_contracts.commands.answer_cheep import AnswerCheep
from cheeper_contracts.commands.block import Block
from cheeper_contracts.commands.change_email import ChangeEmail
from cheeper_contracts.commands.delete_cheep import DeleteCheep
from cheeper_contracts.commands.end_follow_of_blocked import EndFollowOfBlocked
from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.mark_notifications_read import MarkNotificationsRead
from cheeper_contracts.commands.mute import Mute
from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.commands.unblock import Unblock
from cheeper_contracts.commands.unfollow import Unfollow
from cheeper_contracts.commands.unmute import Unmute
from cheeper_contracts.commands.update_cheep import UpdateCheep
from cheeper_contracts.commands.update_profile import UpdateProfile
from cheeper_contracts.commands.welcome_author import WelcomeAuthor
from write_api.bus.ids import new_id

pytestmark = pytest.mark.store

SEEDS = range(12)
BATCHES, BATCH = 5, 30
NOW = 1_647_292_130_123_456


@pytest.fixture
def both(engine, make_world):
    """The bus over Postgres, and the one in memory, which runs each command alone."""
    return make_world(engine), make_world(None)


def sign_ups(count):
    return [SignUp(author_id=(one := new_id()), username=f"u{one[-12:]}", email=f"{one}@x.org") for _ in range(count)]


class Drawn:
    """Random commands over so few identities that they meet. Those of every other seed break no rule of the tables, so
    that they are written together.
    """

    def __init__(self, seed, people):
        self._draw = random.Random(seed)
        self._calm = seed % 2 == 0
        self._people = [one.author_id for one in people]
        self._emails = [one.email for one in people]
        self._cheeps = [new_id() for _ in range(6)]
        self._ids = [new_id() for _ in range(4)]

    def batch(self):
        return [self._command() for _ in range(self._draw.randint(1, BATCH))]

    def _command(self):
        some = self._draw.choice
        strangers, follow_ids = ([], []) if self._calm else ([new_id()], self._ids)
        one, other = self._draw.sample([*self._people, *strangers], 2)
        text = some(["Hi", "Hello", " Hello "])
        return some(
            [
                lambda: PostCheep(cheep_id=some(self._cheeps), author_id=one, message=text),
                lambda: UpdateCheep(cheep_id=some(self._cheeps), author_id=one, message=text),
                lambda: DeleteCheep(cheep_id=some(self._cheeps), author_id=one),
                lambda: AnswerCheep(
                    cheep_id=some(self._cheeps), author_id=one, message=text, in_reply_to=some(self._cheeps)
                ),
                lambda: Follow(follow_id=some([*follow_ids, new_id()]), from_author_id=one, to_author_id=other),
                lambda: Unfollow(from_author_id=one, to_author_id=other),
                lambda: Mute(author_id=one, muted_id=other),
                lambda: Unmute(author_id=one, muted_id=other),
                lambda: Block(author_id=one, blocked_id=other),
                lambda: Unblock(author_id=one, blocked_id=other),
                lambda: EndFollowOfBlocked(from_author_id=one, to_author_id=other, blocked_at=NOW),
                lambda: UpdateProfile(author_id=one, name=text.strip()),
                lambda: ChangeEmail(author_id=self._people[0], email=some([*self._emails[:2], "new@x.org"])),
                lambda: MarkNotificationsRead(author_id=one, notification_id=some(self._ids)),
                lambda: WelcomeAuthor(notification_id=some(self._ids), author_id=one),
                lambda: NotifyAuthorAboutNewFollower(notification_id=some(self._ids), author_id=one, follower_id=other),
            ]
        )()


@pytest.mark.parametrize("seed", SEEDS)
async def test_batches_end_as_if_each_command_were_run_alone(both, seed):
    """Random batches have the outcomes and the messages that the commands have one after another."""
    together, alone = both
    together.clock, alone.clock = itertools.repeat(NOW), itertools.repeat(NOW)  # a clash reads it again
    people = sign_ups(3)
    drawn = Drawn(seed, people)
    for batch in (people, *(drawn.batch() for _ in range(BATCHES))):
        assert await together.handle(*batch) == await alone.handle(*batch), f"seed {seed}: {batch}"
    assert await together.events() == await alone.events(), f"seed {seed}"


@pytest.fixture
def statements(engine):
    """Counts the statements that are sent from now on, by their first words."""
    counted = Counter()

    def count(_connection, _cursor, statement, *_):
        counted[statement.split(None, 1)[0]] += 1

    event.listen(engine.sync_engine, "before_cursor_execute", count)
    return counted


async def test_a_single_command_takes_few_statements(engine, make_world, statements):
    """It locks, reads its two aggregates and its record, and writes a row, its message and its record."""
    world = make_world(engine)
    (bob,) = sign_ups(1)
    await world.handle(bob)
    statements.clear()
    await world.handle(PostCheep(cheep_id=new_id(), author_id=bob.author_id, message="Hi"))
    assert statements["SELECT"] == 4
    assert statements["INSERT"] == 3
    assert "SAVEPOINT" not in statements


async def test_a_batch_takes_as_many_statements_as_a_single_command(engine, make_world, statements):
    """All aggregates of a kind are read in one statement, and written in one."""
    world = make_world(engine)
    people = sign_ups(20)
    await world.handle(*people)
    took = []
    for size in (1, 20):
        statements.clear()
        posts = [PostCheep(cheep_id=new_id(), author_id=one.author_id, message="Hi") for one in people[:size]]
        follows = [
            Follow(follow_id=new_id(), from_author_id=one.author_id, to_author_id=people[-size].author_id)
            for one in people[: size - 1] or people[:1]
        ]
        await world.handle(*posts, *follows)
        took.append(dict(statements))
    assert took[0] == took[1]
    assert "SAVEPOINT" not in took[1]


async def test_a_clash_leaves_nothing_of_the_first_attempt(engine, make_world):
    """If one command of a batch breaks a rule of the tables, it alone is refused, and the others happen once."""
    world = make_world(engine)
    alice, bob = sign_ups(2)
    await world.handle(alice, bob)
    unknown = new_id()
    assert await world.codes(
        PostCheep(cheep_id=new_id(), author_id=alice.author_id, message="Hi"),
        Follow(follow_id=new_id(), from_author_id=unknown, to_author_id=alice.author_id),
        Follow(follow_id=new_id(), from_author_id=bob.author_id, to_author_id=alice.author_id),
    ) == [None, "author_not_found", None]
    async with engine.connect() as connection:
        counts = text("SELECT (SELECT count(*) FROM cheeps), (SELECT count(*) FROM follows)")
        assert tuple((await connection.execute(counts)).one()) == (1, 1)
    assert world.woken == 2


async def test_a_follow_id_given_up_later_in_a_batch_was_taken_before(engine, make_world):
    """Commands of one key keep their order though all changes are written at the end."""
    world = make_world(engine)
    alice, bob, carol = sign_ups(3)
    taken = Follow(follow_id=new_id(), from_author_id=bob.author_id, to_author_id=alice.author_id)
    await world.handle(alice, bob, carol, taken)
    assert await world.codes(
        Follow(follow_id=taken.follow_id, from_author_id=carol.author_id, to_author_id=alice.author_id),
        Unfollow(from_author_id=bob.author_id, to_author_id=alice.author_id),
    ) == ["follow_id_taken", None]
