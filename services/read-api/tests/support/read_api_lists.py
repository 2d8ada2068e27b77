"""Lists in MongoDB that are written while they are read, one class per kind."""

import random
from dataclasses import dataclass, field

import pytest
from read_api_layout import AT, Documents, new_id

from cheeper_contracts import views
from read_api.queries.author_cheeps import AuthorCheeps
from read_api.queries.blocks import Blocks
from read_api.queries.cheep_answers import CheepAnswers
from read_api.queries.followers import Followers
from read_api.queries.following import Following
from read_api.queries.mutes import Mutes
from read_api.queries.notifications import Notifications

TIMES = 30
"""Few, so that many entries share one."""


@dataclass
class List:
    """A list that is written while it is read: what is in it, by the time and the id of each entry, and what went."""

    documents: Documents
    seed: random.Random
    owner: str = ""
    entries: dict[str, int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    newest_first = True

    def __post_init__(self):
        self.owner = self.documents.sign_up()

    def change(self):
        """An entry comes or goes."""
        if self.entries and self.seed.random() < 0.5:
            entry = self.seed.choice(sorted(self.entries))
            self.removed.add(entry)
            self.entries.pop(entry)
            self.remove(entry)
        else:
            at = AT + self.seed.randrange(TIMES)
            self.entries[self.add(at)] = at

    def whole(self):
        """The ids in order."""
        return sorted(self.entries, key=lambda entry: (self.entries[entry], entry), reverse=self.newest_first)


class FollowersList(List):
    def add(self, at):
        """A follow, and sometimes no sign-up of the follower; then it is no entry yet."""
        follower = new_id()
        self.documents.follow(follower, self.owner, at=at)
        if self.seed.random() < 0.3:
            self.documents.follow(new_id(), self.owner, at=at)
        return self.documents.sign_up(follower)

    def remove(self, entry):
        self.documents.unfollow(entry, self.owner)

    def ask(self, **page):
        return Followers(author_id=self.owner, **page)

    def ids(self, data):
        return [author.author_id for author in data.authors]


class FollowingList(FollowersList):
    def add(self, at):
        followed = self.documents.sign_up()
        self.documents.follow(self.owner, followed, at=at)
        return followed

    def remove(self, entry):
        self.documents.unfollow(self.owner, entry)

    def ask(self, **page):
        return Following(author_id=self.owner, **page)


class MutesList(FollowersList):
    def add(self, at):
        muted = self.documents.sign_up()
        self.documents.mute(self.owner, muted, at=at)
        return muted

    def remove(self, entry):
        self.documents.unmute(self.owner, entry)

    def ask(self, **page):
        return Mutes(author_id=self.owner, **page)


class BlocksList(FollowersList):
    def add(self, at):
        blocked = self.documents.sign_up()
        self.documents.block(self.owner, blocked, at=at)
        return blocked

    def remove(self, entry):
        self.documents.unblock(self.owner, entry)

    def ask(self, **page):
        return Blocks(author_id=self.owner, **page)


class CheepsList(List):
    def add(self, at):
        return self.documents.post(self.owner, at=at)

    def remove(self, entry):
        self.documents.delete(entry)

    def ask(self, **page):
        return AuthorCheeps(author_id=self.owner, **page)

    def ids(self, data):
        return [cheep.cheep_id for cheep in data.cheeps]


class AnswersList(CheepsList):
    newest_first = False

    def __post_init__(self):
        self.owner = self.documents.post()

    def add(self, at):
        return self.documents.post(parent=self.owner, at=at)

    def ask(self, **page):
        return CheepAnswers(cheep_id=self.owner, **page)


class NotificationsList(List):
    def add(self, at):
        return self.documents.notify(self.owner, at=at)

    def remove(self, entry):
        self.documents.of(views.NOTIFICATIONS).delete_one({"_id": entry})

    def ask(self, **page):
        return Notifications(author_id=self.owner, **page)

    def ids(self, data):
        return [notification.notification_id for notification in data.notifications]


LISTS = pytest.mark.parametrize(
    "kind", [FollowersList, FollowingList, MutesList, BlocksList, CheepsList, AnswersList, NotificationsList]
)


def laid(kind, documents, entries):
    """A list with entries."""
    made = kind(documents, random.Random(11))
    while len(made.entries) < entries:
        made.change()
    return made


async def walk(ask, made, size, between=lambda: None):
    """The pages of a list by cursor; `between` is called after each."""
    pages, cursor = [], None
    while True:
        found = await ask(made.ask(size=size, cursor=cursor))
        pages.append(made.ids(found.data))
        if (cursor := found.next_cursor) is None:
            return pages
        between()
