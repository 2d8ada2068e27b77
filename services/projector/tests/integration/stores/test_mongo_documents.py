"""The documents against an oracle in Python: any log, cut into batches anywhere, in any order between keys."""

import uuid
from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cheeper_contracts import views
from cheeper_contracts.catalogue import EVENTS, command_type_of
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_muted import AuthorMuted
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.author_unblocked import AuthorUnblocked
from cheeper_contracts.events.author_unfollowed import AuthorUnfollowed
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from cheeper_contracts.events.cheep_answered import CheepAnswered
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.events.command_handled import CommandHandled
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.events.email_changed import EmailChanged
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.events.notifications_read import NotificationsRead
from cheeper_contracts.events.profile_updated import ProfileUpdated
from cheeper_contracts.words import words_of
from projector.stores.mongo.store import MongoStore

pytestmark = pytest.mark.store

AUTHORS = tuple(str(uuid.UUID(int=number * 0x1111_2222_3333_4444_5555)) for number in range(1, 6))
PARTITIONS = 3
INTERLEAVINGS = 4

PROPERTY = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

authors = st.sampled_from(AUTHORS)
texts = st.sampled_from(["hello", "Grüße an Zoë", "$words $username", "a.b $inc 🙂", "hello hello again"])
names = st.none() | st.sampled_from(["Zoë", "$name", "Ann Lee"])
which = st.integers(0, 30)
acts = st.one_of(
    st.tuples(st.just("update profile"), authors, names, names),
    st.tuples(st.just("change email"), authors),
    st.tuples(st.just("follow"), authors, authors),
    st.tuples(st.just("unfollow"), authors, authors),
    st.tuples(st.sampled_from(["mute", "unmute", "block", "unblock"]), authors, authors),
    st.tuples(st.just("post"), authors, texts),
    st.tuples(st.just("answer"), authors, which, texts),
    st.tuples(st.just("update"), which, texts),
    st.tuples(st.just("delete"), which),
    st.tuples(st.just("notify"), authors, authors, st.sampled_from(["welcome", "new_follower", "answer"])),
    st.tuples(st.just("read"), authors),
    st.tuples(st.just("refuse"), authors),
)
scripts = st.lists(acts, max_size=60)


class Oracle:
    """The write model: each action changes its state and adds an event."""

    def __init__(self, helpers):
        self.events = []
        self.authors, self.follows, self.cheeps, self.notifications = {}, {}, {}, {}
        self.mutes, self.blocks = {}, {}
        self._clock = helpers.now
        for number, author in enumerate(AUTHORS):
            self._sign_up(author, f"User_{number}", "Somebody" if number % 2 else None)

    def do(self, act, *arguments):
        getattr(self, "_" + act.replace(" ", "_"))(*arguments)

    def documents(self):
        """Every view's documents by id, as the contracts have them."""
        live = {cheep_id: cheep for cheep_id, cheep in self.cheeps.items() if "deleted_at" not in cheep}
        followers = Counter(followed for _, followed in self.follows)
        following = Counter(follower for follower, _ in self.follows)
        posted = Counter(cheep["author_id"] for cheep in live.values())
        answers = Counter(cheep["in_reply_to"] for cheep in live.values() if "in_reply_to" in cheep)
        return {
            views.AUTHORS.name: {
                author: views.AuthorDocument(
                    author_id=author,
                    **profile,
                    username_folded=profile["username"].lower(),
                    words=words_of(profile["username"], profile["name"]),
                    followers=followers[author],
                    following=following[author],
                    cheeps=posted[author],
                )
                for author, profile in self.authors.items()
            },
            views.FOLLOWS.name: {
                f"{follower} {followed}": views.FollowDocument(
                    follow_key=f"{follower} {followed}", from_author_id=follower, to_author_id=followed, followed_at=at
                )
                for (follower, followed), at in self.follows.items()
            },
            views.CHEEPS.name: {
                cheep_id: views.CheepDocument(
                    **cheep, words=words_of(cheep["message"]), number_of_answers=answers[cheep_id]
                )
                if cheep_id in live
                else views.DeletedCheepDocument(
                    cheep_id=cheep_id, deleted_at=cheep["deleted_at"], number_of_answers=answers[cheep_id]
                )
                for cheep_id, cheep in self.cheeps.items()
            },
            views.NOTIFICATIONS.name: self.notifications,
            views.MUTES.name: {
                f"{author} {muted}": views.MuteDocument(
                    mute_key=f"{author} {muted}", author_id=author, muted_id=muted, muted_at=at
                )
                for (author, muted), at in self.mutes.items()
            },
            views.BLOCKS.name: {
                f"{author} {blocked}": views.BlockDocument(
                    block_key=f"{author} {blocked}", author_id=author, blocked_id=blocked, blocked_at=at
                )
                for (author, blocked), at in self.blocks.items()
            },
        }

    def _sign_up(self, author, username, name):
        profile = {"username": username, "name": name, "signed_up_at": self._now()}
        self.authors[author] = {**profile, "bio": None}
        self._publish(NewAuthorSigned(author_id=author, **profile))

    def _update_profile(self, author, name, bio):
        self.authors[author] |= {"name": name, "bio": bio}
        self._publish(
            ProfileUpdated(
                author_id=author, username=self.authors[author]["username"], updated_at=self._now(), name=name, bio=bio
            )
        )

    def _change_email(self, author):
        self._publish(EmailChanged(author_id=author, changed_at=self._now()))

    def _follow(self, follower, followed):
        if follower == followed or (follower, followed) in self.follows:
            return self._publish(CommandHandled(command_type="cheeper.follow.v1", command_key=followed))
        at = self.follows[follower, followed] = self._now()
        return self._publish(
            AuthorFollowed(follow_id=_id(), from_author_id=follower, to_author_id=followed, followed_at=at)
        )

    def _unfollow(self, follower, followed):
        at = self.follows.pop((follower, followed), None)
        if at is None:
            return self._publish(CommandHandled(command_type="cheeper.unfollow.v1", command_key=followed))
        return self._publish(
            AuthorUnfollowed(
                follow_id=_id(),
                from_author_id=follower,
                to_author_id=followed,
                followed_at=at,
                unfollowed_at=self._now(),
            )
        )

    def _mute(self, author, muted):
        if author == muted or (author, muted) in self.mutes:
            return
        at = self.mutes[author, muted] = self._now()
        self._publish(AuthorMuted(author_id=author, muted_id=muted, muted_at=at))

    def _unmute(self, author, muted):
        if self.mutes.pop((author, muted), None) is not None:
            self._publish(AuthorUnmuted(author_id=author, muted_id=muted, unmuted_at=self._now()))

    def _block(self, author, blocked):
        """Both follows end, the one of the blocker by an event of its own key."""
        if author == blocked or (author, blocked) in self.blocks:
            return
        at = self.blocks[author, blocked] = self._now()
        follow_id = None if self.follows.pop((blocked, author), None) is None else _id()
        self._publish(AuthorBlocked(author_id=author, blocked_id=blocked, blocked_at=at, follow_id=follow_id))
        if self.follows.pop((author, blocked), None) is not None:
            self._publish(
                FollowOfBlockedEnded(follow_id=_id(), from_author_id=author, to_author_id=blocked, ended_at=self._now())
            )

    def _unblock(self, author, blocked):
        if self.blocks.pop((author, blocked), None) is not None:
            self._publish(AuthorUnblocked(author_id=author, blocked_id=blocked, unblocked_at=self._now()))

    def _post(self, author, message, parent=None):
        cheep = {
            "cheep_id": _id(),
            "author_id": author,
            "author_username": self.authors[author]["username"],
            "message": message,
            "cheep_date": self._now(),
        }
        if parent is None:
            self._publish(CheepPosted(**cheep))
        else:
            cheep["in_reply_to"] = parent["cheep_id"]
            self._publish(CheepAnswered(**cheep, parent_author_id=parent["author_id"]))
        self.cheeps[cheep["cheep_id"]] = cheep

    def _answer(self, author, number, message):
        parent = self._live(number)
        if parent is not None:
            self._post(author, message, parent)

    def _update(self, number, message):
        cheep = self._live(number)
        if cheep is not None:
            cheep |= {"message": message, "edited_at": self._now()}
            self._publish(CheepUpdated(**cheep))

    def _delete(self, number):
        cheep = self._live(number)
        if cheep is not None:
            cheep["deleted_at"] = self._now()
            published = {field: value for field, value in cheep.items() if field in CheepDeleted.__struct_fields__}
            self._publish(CheepDeleted(**published))

    def _notify(self, author, doer, kind):
        at, about = self._now(), {} if kind == "welcome" else {"from_author_id": doer}
        notification = _id()
        self.notifications[notification] = views.NotificationDocument(
            notification_id=notification, author_id=author, kind=kind, at=at, **about
        )
        self._publish(
            AuthorNotified(notification_id=notification, author_id=author, kind=kind, notified_at=at, **about)
        )

    def _read(self, author):
        mine = [each for each in self.notifications.values() if each.author_id == author]
        if mine and mine[-1].at > (self.authors[author].get("read_until") or 0):
            notification, at = mine[-1].notification_id, mine[-1].at
            self.authors[author] |= {"read_until": at, "read_until_id": notification}
            self._publish(
                NotificationsRead(author_id=author, notification_id=notification, notified_at=at, read_at=self._now())
            )

    def _refuse(self, author):
        self._publish(
            CommandRejected(
                command_type="cheeper.post-cheep.v1", command_key=author, code="cheep_id_taken", message="It is taken."
            )
        )

    def _live(self, number):
        live = [cheep for cheep in self.cheeps.values() if "deleted_at" not in cheep]
        return live[number % len(live)] if live else None

    def _publish(self, event):
        self.events.append(event)

    def _now(self):
        self._clock += 1_000_003
        return self._clock


def _id():
    return str(uuid.uuid4())


def oracle_of(helpers, script):
    oracle = Oracle(helpers)
    for act in script:
        oracle.do(*act)
    return oracle


def as_it_happened(events):
    """The keys in the order of the events."""
    return [event.key for event in events]


def shuffled(events, random):
    """The keys in any order: each key's own events keep theirs."""
    keys = as_it_happened(events)
    random.shuffle(keys)
    return keys


def written(helpers, events, keys, partition_of):
    """The log of the events, key after key."""
    story, streams = helpers.Story(), {key: iter([e for e in events if e.key == key]) for key in keys}
    return story, [story.add(next(streams[key]), partition=partition_of[key]) for key in keys]


def replay(store, story, helpers, random):
    """Applies the whole log in batches of any size, of any partition next, some messages again."""
    done = dict.fromkeys(story.messages, 0)
    while waiting := [partition for partition, number in done.items() if number < len(story.messages[partition])]:
        partition = random.choice(waiting)
        start = max(0, done[partition] - random.choice([0, 0, 1, 5]))
        done[partition] = max(done[partition], min(start + random.randint(1, 12), len(story.messages[partition])))
        helpers.apply_all(store, partition, story.messages[partition][start : done[partition]])


def found(mongo):
    """Every view's documents by id, as readers decode them: no field may be there that the contracts do not know."""
    shapes = {
        views.AUTHORS.name: views.AuthorDocument,
        views.FOLLOWS.name: views.FollowDocument,
        views.CHEEPS.name: views.CheepDocument,
        views.NOTIFICATIONS.name: views.NotificationDocument,
        views.MUTES.name: views.MuteDocument,
        views.BLOCKS.name: views.BlockDocument,
    }
    return {name: {raw["_id"]: decoded(raw, shape) for raw in mongo[name].find()} for name, shape in shapes.items()}


def decoded(raw, shape):
    shape = views.DeletedCheepDocument if "deleted_at" in raw else shape
    assert set(raw) <= set(shape.__struct_encode_fields__)
    return msgspec.convert(raw, shape)


@pytest.fixture
def empty(mongo):
    """Empties the documents, so that one database serves many examples."""

    def clear():
        for collection in views.COLLECTIONS:
            mongo[collection.name].delete_many({})

    return clear


@pytest.fixture
def store(mongo):
    made = MongoStore(mongo.client, mongo.name)
    made.prepare()
    return made


@PROPERTY
@given(script=scripts, seed=st.integers(0, 2**32))
def test_documents_equal_the_oracle(store, mongo, empty, helpers, script, seed):
    """The documents show every action to the last field, for any cut of the log into batches and any repetition."""
    empty()
    random, oracle = Random(seed), oracle_of(helpers, script)
    partition_of = {author: AUTHORS.index(author) % PARTITIONS for author in AUTHORS}
    story, published = written(helpers, oracle.events, as_it_happened(oracle.events), partition_of)
    replay(store, story, helpers, random)
    assert found(mongo) == oracle.documents()
    records = {
        raw["_id"]: (raw["type"], raw["status"], raw["partition"], raw["sequence"])
        for raw in mongo[views.COMMANDS.name].find()
    }
    assert records == {
        one.envelope.reply_to: (
            command_type_of(one.event),
            "rejected" if isinstance(one.event, CommandRejected) else "handled",
            one.partition,
            one.envelope.sequence,
        )
        for one in published
    }
    assert {raw["_id"]: raw["sequence"] for raw in mongo[views.CHECKPOINTS.name].find()} == {
        partition: len(log) for partition, log in story.messages.items()
    }


@PROPERTY
@given(script=scripts, seed=st.integers(0, 2**32))
@pytest.mark.extended
def test_any_order_between_keys_ends_in_the_same_documents(store, mongo, empty, helpers, script, seed):
    """An answer before its parent, a follow before the sign-up, counts before the profile: the result is the same."""
    random, oracle = Random(seed), oracle_of(helpers, script)
    for _ in range(INTERLEAVINGS):
        empty()
        partition_of = {author: random.randrange(PARTITIONS) for author in AUTHORS}
        story, _told = written(helpers, oracle.events, shuffled(oracle.events, random), partition_of)
        replay(store, story, helpers, random)
        assert found(mongo) == oracle.documents()


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "a batch each"])
def test_a_document_ends_as_its_last_event_says(store, mongo, helpers, together):
    """Followed, unfollowed and followed again; posted, updated and deleted: the order within a document holds."""
    alice, bob = AUTHORS[:2]
    oracle = Oracle(helpers)
    for act in (
        ("follow", alice, bob),
        ("unfollow", alice, bob),
        ("follow", alice, bob),
        ("post", bob, "first"),
        ("update", 0, "second"),
        ("delete", 0),
        ("follow", AUTHORS[2], bob),
        ("unfollow", AUTHORS[2], bob),
        ("update profile", bob, None, "$bio"),
    ):
        oracle.do(*act)
    story, _ = written(helpers, oracle.events, as_it_happened(oracle.events), dict.fromkeys(AUTHORS, 0))
    size = len(oracle.events) if together else 1
    for start in range(0, len(oracle.events), size):
        helpers.apply_all(store, 0, story.messages[0][start : start + size])
    assert found(mongo) == oracle.documents()
    assert len(found(mongo)[views.FOLLOWS.name]) == 1


def test_the_script_has_every_event(helpers):
    """The oracle leaves no event of the contracts out."""
    script = [
        ("update profile", AUTHORS[0], "Ann", None),
        ("change email", AUTHORS[0]),
        ("follow", *AUTHORS[:2]),
        ("follow", *AUTHORS[:2]),
        ("unfollow", *AUTHORS[:2]),
        *((act, *AUTHORS[:2]) for act in ("mute", "unmute", "follow", "block", "unblock")),
        ("post", AUTHORS[0], "hello"),
        ("answer", AUTHORS[1], 0, "hi"),
        ("update", 0, "again"),
        ("delete", 0),
        ("notify", *AUTHORS[:2], "answer"),
        ("read", AUTHORS[0]),
        ("refuse", AUTHORS[0]),
    ]
    assert {type(event) for event in oracle_of(helpers, script).events} == set(EVENTS)
