"""The refusals of the domain, as a tree. Every leaf carries the stable code that clients see.

Refusal
├── Invalid              invalid             fields that break their rules, all of them at once
├── CannotFollowSelf     cannot_follow_self
├── CannotMuteSelf       cannot_mute_self
├── CannotBlockSelf      cannot_block_self
├── Blocked              blocked             one of the two blocks the other
├── AuthorNotFound       author_not_found
├── AuthorIdTaken        author_id_taken     an author has the id
├── UsernameTaken        username_taken
├── EmailTaken           email_taken
├── FollowIdTaken        follow_id_taken     the id is another pair's
├── TooManyFollows       too_many_follows    the author follows as many as one may
├── TooManyFollowsADay   too_many_follows_a_day
├── TooManyPostsADay     too_many_posts_a_day
├── CheepIdTaken         cheep_id_taken      the id is another post's
├── CheepNotFound        cheep_not_found     never posted, or deleted
├── NotificationNotFound notification_not_found   not one of the author's
└── NotTheAuthor         not_the_author      the cheep is another author's

`cheeper_contracts.http.responses.STATUS_OF` is the one table from code to HTTP status. A refusal's text is one sentence
for the client, who may read every word of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from cheeper_contracts.http.responses import WrongField, first_wrong


class Refusal(Exception):  # noqa: N818 - a refusal is a result that the domain intends, not a fault
    """The reason for which the domain rejects a command, whoever sends it and however often."""

    code: ClassVar[str]

    @property
    def message(self) -> str:
        """Return one sentence for the client."""
        return str(self)


class Invalid(Refusal):
    """Fields break their rules."""

    code = "invalid"

    def __init__(self, fields: Sequence[WrongField]) -> None:
        self.fields = first_wrong(fields)
        super().__init__("Invalid: " + "; ".join(f"{wrong.field} {wrong.message}" for wrong in self.fields))


class CannotFollowSelf(Refusal):
    """An author would follow itself."""

    code = "cannot_follow_self"

    def __init__(self) -> None:
        super().__init__("An author cannot follow itself")


class CannotMuteSelf(Refusal):
    """An author would mute itself."""

    code = "cannot_mute_self"

    def __init__(self) -> None:
        super().__init__("An author cannot mute itself")


class CannotBlockSelf(Refusal):
    """An author would block itself."""

    code = "cannot_block_self"

    def __init__(self) -> None:
        super().__init__("An author cannot block itself")


class Blocked(Refusal):
    """One of two authors blocks the other. The sentence does not say which."""

    code = "blocked"

    def __init__(self) -> None:
        super().__init__("One of the two authors blocks the other")


class AuthorNotFound(Refusal):
    """No author has signed up with that id."""

    code = "author_not_found"

    def __init__(self, author_id: str) -> None:
        super().__init__(f'Author "{author_id}" does not exist')


class AuthorIdTaken(Refusal):
    """An author has signed up with that id already, whether with the same content or not."""

    code = "author_id_taken"

    def __init__(self, author_id: str) -> None:
        super().__init__(f'The author id "{author_id}" belongs to another sign-up')


class UsernameTaken(Refusal):
    """An author has that username, in this or another case."""

    code = "username_taken"

    def __init__(self, username: str) -> None:
        super().__init__(f'The username "{username}" is taken')


class EmailTaken(Refusal):
    """An author has that e-mail address. It is not repeated here: this text travels in events."""

    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("The email is taken")


class FollowIdTaken(Refusal):
    """Another pair's follow has that id."""

    code = "follow_id_taken"

    def __init__(self, follow_id: str) -> None:
        super().__init__(f'The follow id "{follow_id}" belongs to another follow')


class TooManyFollows(Refusal):
    """The author follows as many others as one author may."""

    code = "too_many_follows"

    def __init__(self, most: int) -> None:
        super().__init__(f"An author follows at most {most:,} others")


class TooManyFollowsADay(Refusal):
    """The author began as many follows within a day as one author may, those that ended since too."""

    code = "too_many_follows_a_day"

    def __init__(self, most: int) -> None:
        super().__init__(f"An author begins at most {most:,} follows within 24 hours")


class TooManyPostsADay(Refusal):
    """The author posted as many cheeps within a day as one author may, deleted ones too."""

    code = "too_many_posts_a_day"

    def __init__(self, most: int) -> None:
        super().__init__(f"An author posts at most {most:,} cheeps within 24 hours")


class CheepIdTaken(Refusal):
    """A cheep was first posted with that id by another author, with another text or in answer to another cheep."""

    code = "cheep_id_taken"

    def __init__(self, cheep_id: str) -> None:
        super().__init__(f'The cheep id "{cheep_id}" belongs to another cheep')


class CheepNotFound(Refusal):
    """No cheep was posted with that id, or it is deleted. The client does not learn which of the two."""

    code = "cheep_not_found"

    def __init__(self, cheep_id: str) -> None:
        super().__init__(f'Cheep "{cheep_id}" does not exist')


class NotificationNotFound(Refusal):
    """The author has no notification with that id."""

    code = "notification_not_found"

    def __init__(self, notification_id: str) -> None:
        super().__init__(f'Notification "{notification_id}" does not exist')


class NotTheAuthor(Refusal):
    """An author would change another one's cheep."""

    code = "not_the_author"

    def __init__(self, cheep_id: str) -> None:
        super().__init__(f'Cheep "{cheep_id}" belongs to another author')
