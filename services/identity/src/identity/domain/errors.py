"""The refusals of the use cases: each is a Refusal with a stable code."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - the base of refusals, as in write-api
    """A request is refused. `code` is stable, `message` is a sentence for people without anything that they sent."""

    code = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidError(Refusal):
    """A field is wrong."""

    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__("A field is not valid")
        self.field = field
        self.reason = message


class WrongCredentialsError(Refusal):
    """The proof of who somebody is was not right."""

    code = "wrong_credentials"

    def __init__(self, message: str = "The e-mail address or the password is wrong") -> None:
        super().__init__(message)


class TooManyAttemptsError(Refusal):
    """A limit refuses. `seconds` is the time after which the next attempt is possible."""

    code = "too_many_attempts"

    def __init__(self, seconds: int) -> None:
        super().__init__("There were too many attempts; wait before the next one")
        self.seconds = seconds
