"""What can go wrong around the domain. What the domain itself refuses is in `domain.errors`, and is no fault."""


class UnavailableError(Exception):
    """What is needed cannot be reached now, or a transaction lost against another.

    Nothing was refused; whether anything was done is unknown. Trying again with the same message id is safe.
    """


class CommandTooLargeError(Exception):
    """The topic takes no command of this size: it was not sent. Trying again helps only once its limit was raised."""


class MessageIdTakenError(UnavailableError):
    """A command of another key took a message id between our look and our commit. The next try finds it there."""
