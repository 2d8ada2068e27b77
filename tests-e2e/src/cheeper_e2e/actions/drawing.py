"""Random actions of few authors, so that they meet: which is drawn depends on the draw alone, not on any response.

A draw is a `random.Random`; one that hypothesis controls makes the actions shrink.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from cheeper_e2e.actions.actions import Action, Scene

_SELDOM: Final = 0.05
_NOW_AND_THEN: Final = 0.15
_TEXTS: Final = 100
INVALID_KINDS: Final = 4


class Drawing:
    """Draws actions of so many authors of a scene. Low numbers are drawn more often, so that some are popular.

    It remembers which cheeps and follows it has drawn: most get a new number, some one that was used before.
    """

    def __init__(self, scene: Scene, authors: int) -> None:
        self.scene = scene
        self.authors = authors
        self._posts: list[tuple[int, int, int]] = []
        self._cheeps = 0
        self._follows = 0
        self._authors_of: dict[int, int] = {}
        self._weights: dict[Callable[[random.Random], Action], int] = {
            self.post_cheep: 24,
            self.follow: 24,
            self.sign_up: 9,
            self.answer_cheep: 12,
            self.unfollow: 7,
            self.mute: 4,
            self.unmute: 2,
            self.block: 2,
            self.unblock: 3,
            self.mark_read: 6,
            self.update_cheep: 7,
            self.delete_cheep: 6,
            self.update_profile: 6,
            self.change_email: 3,
            self.invalid: 2,
        }

    def action(self, draw: random.Random) -> Action:
        """Any action."""
        [one] = draw.choices(list(self._weights), weights=list(self._weights.values()))
        return one(draw)

    def sign_up(self, draw: random.Random) -> Action:
        """Draw a sign-up, mostly with the author's own username and address, now and then with another author's."""
        who = self._somebody(draw)
        username_of = self._somebody(draw) if draw.random() < _SELDOM else who
        email_of = self._somebody(draw) if draw.random() < _SELDOM else who
        name = draw.randrange(_TEXTS) if draw.random() < _NOW_AND_THEN else None
        return self.scene.sign_up(who, username_of=username_of, email_of=email_of, name=name)

    def update_profile(self, draw: random.Random) -> Action:
        """A name, sometimes cleared; a bio; both; or nothing at all."""
        who, fields = self._somebody(draw), draw.choice([("name",), ("name",), ("bio",), ("name", "bio"), ()])
        given = {each: self.scene.name(draw.randrange(_TEXTS)) for each in fields}
        cleared = {each: None for each in fields if draw.random() < _NOW_AND_THEN}
        return self.scene.update_profile(who, **(given | cleared))

    def change_email(self, draw: random.Random) -> Action:
        """Mostly to a new address, else to the first one of any author."""
        who, number = self._somebody(draw), draw.choice([1, 2, 3, 0])
        return self.scene.change_email(who, email_of=who if number else self._somebody(draw), number=number)

    def follow(self, draw: random.Random) -> Action:
        """Mostly with a new id."""
        number = self._old_or_new(draw, self._follows)
        self._follows = max(self._follows, number + 1)
        return self.scene.follow(self._anybody(draw), self._somebody(draw), number)

    def unfollow(self, draw: random.Random) -> Action:
        """Of new_author, followed or not."""
        return self.scene.unfollow(self._anybody(draw), self._somebody(draw))

    def mute(self, draw: random.Random) -> Action:
        """Of anybody, followed or not, oneself too."""
        return self.scene.mute(self._anybody(draw), self._somebody(draw))

    def unmute(self, draw: random.Random) -> Action:
        """Of anybody, muted or not."""
        return self.scene.unmute(self._anybody(draw), self._somebody(draw))

    def block(self, draw: random.Random) -> Action:
        """Of anybody, followed or not, oneself too."""
        return self.scene.block(self._anybody(draw), self._somebody(draw))

    def unblock(self, draw: random.Random) -> Action:
        """Of anybody, blocked or not."""
        return self.scene.unblock(self._anybody(draw), self._somebody(draw))

    def mark_read(self, draw: random.Random) -> Action:
        """Of a notification about anybody, who may not have followed."""
        return self.scene.mark_read(self._somebody(draw), self._anybody(draw))

    def post_cheep(self, draw: random.Random) -> Action:
        """Mostly with a new id; else one that was posted before, with the same text or another."""
        if self._posts and draw.random() < _SELDOM:
            return self.scene.post_cheep(*draw.choice(self._posts))
        author, cheep, text = self._somebody(draw), self._new_cheep(draw), draw.randrange(_TEXTS)
        self._authors_of.setdefault(cheep, author)
        self._posts.append((author, cheep, text))
        return self.scene.post_cheep(author, cheep, text)

    def answer_cheep(self, draw: random.Random) -> Action:
        """Of any cheep that was posted before, deleted or not, or never was."""
        author, parent = self._somebody(draw), draw.randrange(self._cheeps + 1)
        cheep = self._new_cheep(draw)
        self._authors_of.setdefault(cheep, author)
        return self.scene.answer_cheep(author, cheep, parent, draw.randrange(_TEXTS))

    def update_cheep(self, draw: random.Random) -> Action:
        """By its author mostly."""
        cheep = draw.randrange(self._cheeps + 1)
        return self.scene.update_cheep(self._author_of(draw, cheep), cheep, draw.randrange(_TEXTS))

    def delete_cheep(self, draw: random.Random) -> Action:
        """By its author mostly."""
        cheep = draw.randrange(self._cheeps + 1)
        return self.scene.delete_cheep(self._author_of(draw, cheep), cheep)

    def invalid(self, draw: random.Random) -> Action:
        """Return a command that is refused at the edge."""
        return self.scene.invalid(self._somebody(draw), draw.randrange(INVALID_KINDS))

    def _somebody(self, draw: random.Random) -> int:
        return int(self.authors * draw.random() ** 2)

    def _anybody(self, draw: random.Random) -> int:
        return draw.randrange(self.authors)

    def _new_cheep(self, draw: random.Random) -> int:
        number = self._old_or_new(draw, self._cheeps)
        self._cheeps = max(self._cheeps, number + 1)
        return number

    def _author_of(self, draw: random.Random, cheep: int) -> int:
        author = self._authors_of.get(cheep)
        return self._somebody(draw) if author is None or draw.random() < _NOW_AND_THEN else author

    @staticmethod
    def _old_or_new(draw: random.Random, used: int) -> int:
        """The next number, seldom one that was used."""
        return draw.randrange(used) if used and draw.random() < _SELDOM else used
