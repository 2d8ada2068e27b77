"""One suite over the repositories in Postgres and in memory: what it proves of one holds of the other."""

import dataclasses
from functools import partial

import pytest
from sqlalchemy import text

from write_api.bus.ids import new_id
from write_api.db.unit_of_work import PostgresTransactions
from write_api.domain.author import Author
from write_api.domain.errors import (
    AuthorNotFound,
    CheepIdTaken,
    CheepNotFound,
    EmailTaken,
    FollowIdTaken,
    TooManyFollows,
    UsernameTaken,
)
from write_api.domain.follow import Follow
from write_api.domain.mute import Mute
from write_api.domain.notification import Notification
from write_api.domain.quotas import Quotas
from write_api.domain.values import BirthDate, CheepText, Email, Identifier, Name
from write_api.testing import MemoryTransactions

pytestmark = pytest.mark.store

NOW = 1_647_292_130_123_456


FOLLOWS_MAX = 2


@pytest.fixture(params=["memory", "postgres"])
def begin(request):
    quotas = Quotas(follows=FOLLOWS_MAX)
    if request.param == "memory":
        return MemoryTransactions(quotas).begin
    engine = request.getfixturevalue("engine")
    return partial(PostgresTransactions(engine, quotas=quotas).begin, separately=True)


def an_author(**given):
    author_id = new_id()
    form = {"author_id": author_id, "username": f"u{author_id[-12:]}", "email": f"{author_id}@example.com", **given}
    return Author.sign_up(form, NOW)


def a_follow(one, other, follow_id=None):
    form = {"follow_id": follow_id or new_id(), "from_author_id": one.author_id, "to_author_id": other.author_id}
    return Follow.begin(form, NOW)


async def saved(begin, *authors):
    async with begin(["k"]) as work:
        for author in authors:
            await work.authors.save(author)


async def test_an_author_comes_back_as_it_was_saved(begin):
    """With every field, and with none but those that are required."""
    whole = an_author(name="Bób", bio="", location="\N{GRINNING FACE}", website="http://a", birth_date="0001-01-01")
    bare = an_author()
    await saved(begin, whole, bare)
    async with begin(["k"]) as work:
        assert await work.authors.of_id(whole.author_id) == whole
        assert await work.authors.of_id(bare.author_id) == bare
        assert await work.authors.of_id(new_id()) is None


async def test_usernames_are_unique_without_regard_to_case(begin):
    """The second one is refused, and the one that is refused is named as it was written."""
    await saved(begin, an_author(username="Bob"))
    with pytest.raises(UsernameTaken, match="bOB"):
        await saved(begin, an_author(username="bOB"))


async def test_emails_are_unique_without_regard_to_case(begin):
    """An IDN and its punycode are one address, and letters that look alike in a search are two."""
    await saved(begin, an_author(email="Straße@exämple.com"), an_author(email="STRASSE@exämple.com"))
    for taken in ("straße@EXÄMPLE.com", "STRAẞE@xn--exmple-cua.com", "Strasse@exämple.com"):
        with pytest.raises(EmailTaken):
            await saved(begin, an_author(email=taken))


async def test_a_taken_username_is_reported_before_a_taken_email(begin):
    """A sign-up that its username alone makes fail does not report whether somebody has its address."""
    await saved(begin, an_author(username="Bob", email="bob@example.com"), an_author(email="alice@example.com"))
    for email in ("bob@example.com", "alice@example.com", "nobody@example.com"):
        with pytest.raises(UsernameTaken):
            await saved(begin, an_author(username="BOB", email=email))


async def test_an_address_of_an_earlier_rule_blocks_no_author(engine):
    """An author keeps the unique form of an address until the address changes, even if its form by today's rule is
    another author's.
    """
    begin = partial(PostgresTransactions(engine).begin, separately=True)
    bob, alice = an_author(email="bob@exämple.com"), an_author(email="alice@example.com")
    await saved(begin, bob, alice)
    async with engine.begin() as connection:
        earlier = {"email": "bob@xn--exmple-cua.com", "form": "of an earlier rule", "author_id": alice.author_id}
        statement = "UPDATE authors SET email = :email, email_unique_form = :form WHERE author_id = :author_id"
        await connection.execute(text(statement), earlier)
    alice.name, alice.email = Name("Alice"), Email("bob@xn--exmple-cua.com")
    await saved(begin, alice)
    async with begin(["k"]) as work:
        assert await work.authors.of_id(alice.author_id) == alice
    alice.email = Email("BOB@exämple.com")
    with pytest.raises(EmailTaken):
        await saved(begin, alice)


async def test_an_author_is_changed(begin):
    """The profile and the address, and nothing else of it; its own username and address are not in its way."""
    bob = an_author(name="Bob", birth_date="0001-01-01")
    await saved(begin, bob)
    bob.name, bob.birth_date, bob.email = None, BirthDate("0001-01-02"), Email("new@example.com")
    await saved(begin, bob)
    async with begin(["k"]) as work:
        assert await work.authors.of_id(bob.author_id) == bob


async def test_an_author_does_not_change_to_an_address_that_is_taken(begin):
    """And stays as it was; the address that another one left is free."""
    bob, alice = an_author(email="bob@example.com"), an_author()
    await saved(begin, bob, alice)
    alice.email = Email("BOB@example.com")
    with pytest.raises(EmailTaken):
        await saved(begin, alice)
    bob.email = Email("new@example.com")
    await saved(begin, bob, alice)
    async with begin(["k"]) as work:
        assert await work.authors.of_id(alice.author_id) == alice


async def test_a_follow_is_found_by_its_pair(begin):
    """In its own direction only."""
    alice, bob = an_author(), an_author()
    await saved(begin, alice, bob)
    follow = a_follow(alice, bob)
    async with begin(["k"]) as work:
        await work.follows.save(follow)
    async with begin(["k"]) as work:
        assert await work.follows.of_id(alice.author_id, bob.author_id) == follow
        assert await work.follows.of_id(bob.author_id, alice.author_id) is None


async def test_a_follow_id_is_of_one_pair(begin):
    """Another pair may not use it."""
    alice, bob = an_author(), an_author()
    await saved(begin, alice, bob)
    follow = a_follow(alice, bob)
    async with begin(["k"]) as work:
        await work.follows.save(follow)
    with pytest.raises(FollowIdTaken, match=follow.follow_id):
        async with begin(["k"]) as work:
            await work.follows.save(a_follow(bob, alice, follow.follow_id))


async def test_an_author_follows_at_most_so_many(begin):
    """One more is refused; it is saved after another one has ended, and followers are not limited."""
    alice, *others = [an_author() for _ in range(FOLLOWS_MAX + 2)]
    await saved(begin, alice, *others)
    follows = [a_follow(alice, other) for other in others]
    async with begin(["k"]) as work:
        for follow in follows[:FOLLOWS_MAX]:
            await work.follows.save(follow)
    with pytest.raises(TooManyFollows):
        async with begin(["k"]) as work, work.savepoint():
            await work.follows.save(follows[-1])
    async with begin(["k"]) as work, work.savepoint():
        ended = await work.follows.of_id(alice.author_id, others[0].author_id)
        ended.end(NOW)
        await work.follows.save(ended)
    async with begin(["k"]) as work, work.savepoint():
        await work.follows.save(follows[-1])
        for other in others:
            await work.follows.save(a_follow(other, alice))


async def test_a_follow_that_ended_is_removed_and_its_id_free(begin):
    """The pair may follow again, by another id or the same one, and the id may be another pair's."""
    alice, bob = an_author(), an_author()
    await saved(begin, alice, bob)
    first = a_follow(alice, bob)
    async with begin(["k"]) as work:
        await work.follows.save(first)
    ended = dataclasses.replace(first)
    ended.end(NOW + 1)
    async with begin(["k"]) as work:
        await work.follows.save(ended)
        assert await work.follows.of_id(alice.author_id, bob.author_id) is None
        await work.follows.save(first)
        await work.follows.save(ended)
        await work.follows.save(second := a_follow(bob, alice, first.follow_id))
    async with begin(["k"]) as work:
        assert await work.follows.of_id(alice.author_id, bob.author_id) is None
        assert await work.follows.of_id(bob.author_id, alice.author_id) == second


async def test_both_authors_of_a_follow_have_signed_up(begin):
    """Whichever has not is named."""
    alice, unknown = an_author(), an_author()
    await saved(begin, alice)
    for pair in ((alice, unknown), (unknown, alice)):
        with pytest.raises(AuthorNotFound, match=unknown.author_id):
            async with begin(["k"]) as work:
                await work.follows.save(a_follow(*pair))


async def test_a_cheep_comes_back_and_its_author_knows_its_date(begin):
    """The author's last date is that of the latest cheep, in whatever order they were saved."""
    bob = an_author()
    await saved(begin, bob)
    later = bob.post(Identifier(new_id()), CheepText("b\n\N{GRINNING FACE}"), NOW + 9)
    earlier = an_author(author_id=bob.author_id).post(Identifier(new_id()), CheepText("a"), NOW)
    async with begin(["k"]) as work:
        await work.cheeps.save(later)
        await work.cheeps.save(earlier)
    async with begin(["k"]) as work:
        assert await work.cheeps.of_id(later.cheep_id) == later
        found = await work.authors.of_id(bob.author_id)
        assert found is not None
        assert found.last_cheep_date == NOW + 9


async def test_a_cheep_is_changed(begin):
    """Edited and deleted, an answer too; held or not, it is the same."""
    bob = an_author()
    await saved(begin, bob)
    parent = bob.post(Identifier(new_id()), CheepText("a"), NOW)
    answer = bob.answer(parent, Identifier(new_id()), CheepText("b"), NOW)
    for change in (
        lambda _: None,
        lambda one: one.edit(bob.author_id, "c", NOW + 5),
        lambda one: one.delete(bob.author_id, NOW + 9),
    ):
        async with begin(["k"]) as work:
            for one in (parent, answer):
                change(one)
                await work.cheeps.save(one)
        async with begin(["k"]) as work:
            for one in (parent, answer):
                assert await work.cheeps.of_id(one.cheep_id) == await work.cheeps.of_id(one.cheep_id, lock=True) == one
    assert (answer.message, answer.edited_at, answer.deleted_at) == ("c", NOW + 5, NOW + 9)


async def test_a_cheep_id_is_of_one_cheep(begin):
    """Another author who is as fast with it is refused."""
    bob, alice = an_author(), an_author()
    await saved(begin, bob, alice)
    first = bob.post(Identifier(new_id()), CheepText("Hello"), NOW)
    async with begin(["k"]) as work:
        await work.cheeps.save(first)
    with pytest.raises(CheepIdTaken):
        async with begin(["k"]) as work:
            await work.cheeps.save(alice.post(first.cheep_id, CheepText("Other"), NOW))
    async with begin(["k"]) as work:
        assert await work.cheeps.of_id(first.cheep_id) == first


async def test_a_savepoint_is_undone_alone(begin):
    """The changes before and after it in the transaction stay."""
    before, within, after = an_author(), an_author(), an_author()
    async with begin(["k"]) as work:
        await work.authors.save(before)
        with pytest.raises(UsernameTaken):  # noqa: PT012 - the savepoint is what is tested
            async with work.savepoint():
                await work.authors.save(within)
                await work.authors.save(an_author(username=before.username))
        await work.authors.save(after)
    async with begin(["k"]) as work:
        found = [await work.authors.of_id(author.author_id) for author in (before, within, after)]
    assert found == [before, None, after]


async def test_a_transaction_that_fails_leaves_nothing(begin):
    """Whatever it had done before."""
    author = an_author()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the transaction is what is tested
        async with begin(["k"]) as work:
            await work.authors.save(author)
            raise ZeroDivisionError
    async with begin(["k"]) as work:
        assert await work.authors.of_id(author.author_id) is None


def a_notification(author, **given):
    kind = "answer" if "cheep_id" in given else "new_follower" if given else "welcome"
    return Notification.of(kind, {"notification_id": new_id(), "author_id": author.author_id, **given}, NOW)


async def test_a_notification_comes_back_as_it_was_saved(begin):
    """Of every kind, with what belongs to it."""
    bob, alice = an_author(), an_author()
    await saved(begin, bob, alice)
    cheep = alice.post(Identifier(new_id()), CheepText("Hello"), NOW)
    all_kinds = [
        a_notification(bob),
        a_notification(bob, follower_id=alice.author_id),
        a_notification(bob, answered_by=alice.author_id, cheep_id=cheep.cheep_id),
    ]
    async with begin(["k"]) as work:
        await work.cheeps.save(cheep)
        for notification in all_kinds:
            await work.notifications.save(notification)
    async with begin(["k"]) as work:
        assert [await work.notifications.of_id(one.notification_id) for one in all_kinds] == all_kinds
        assert await work.notifications.of_id(new_id()) is None


async def test_the_mark_of_what_was_read_comes_back(begin):
    """The newest notification that an author has read, None before the first one."""
    bob = an_author()
    await saved(begin, bob)
    notification = a_notification(bob)
    async with begin(["k"]) as work:
        author = await work.authors.of_id(bob.author_id)
        assert author.last_read is None
        assert author.read_until(notification)
        await work.authors.save(author)
    async with begin(["k"]) as work:
        found = await work.authors.of_id(bob.author_id)
        assert found.last_read == (NOW, notification.notification_id)


async def test_all_that_a_notification_names_must_exist(begin):
    """Whichever is missing is named."""
    bob, unknown, cheep_id = an_author(), an_author(), new_id()
    await saved(begin, bob)
    for notification in (a_notification(unknown), a_notification(bob, follower_id=unknown.author_id)):
        with pytest.raises(AuthorNotFound, match=unknown.author_id):
            async with begin(["k"]) as work:
                await work.notifications.save(notification)
    with pytest.raises(CheepNotFound, match=cheep_id):
        async with begin(["k"]) as work:
            await work.notifications.save(a_notification(bob, answered_by=bob.author_id, cheep_id=cheep_id))


async def test_a_mute_is_there_from_its_beginning_to_its_end(begin):
    """Found by its pair in one direction, and begun anew after its end, in the same transaction too."""
    bob, alice = an_author(), an_author()
    await saved(begin, bob, alice)
    pair = {"author_id": alice.author_id, "muted_id": bob.author_id}
    mutes = [Mute.begin(pair, NOW + number) for number in range(3)]
    async with begin(["k"]) as work:
        await work.mutes.save(mutes[0])
    async with begin(["k"]) as work:
        found = await work.mutes.of_id(*pair.values())
        assert found == mutes[0]
        assert await work.mutes.of_id(bob.author_id, alice.author_id) is None
        found.end(NOW + 1)
        await work.mutes.save(found)
        assert await work.mutes.of_id(*pair.values()) is None
        await work.mutes.save(mutes[1])
    async with begin(["k"]) as work:
        found = await work.mutes.of_id(*pair.values())
        assert found == mutes[1]
        found.end(NOW + 2)
        await work.mutes.save(found)
    async with begin(["k"]) as work:
        assert await work.mutes.of_id(*pair.values()) is None
