"""The faults around the domain. A Refusal of the domain is an outcome, not a fault, and is in `domain.errors`."""


class UnavailableError(Exception):
    """A server cannot be reached now, or a transaction lost against another one.

    Nothing was refused, and it is unknown whether anything was done. A retry with the same message id is safe.
    """


class ContentionError(UnavailableError):
    """A transaction lost against others: it waited for too long, or for each other. The server is well."""


class CommandTooLargeError(Exception):
    """The topic takes no command of this size, so it was not sent. A retry helps only once the limit was raised."""


class MessageIdTakenError(ContentionError):
    """A command of another key took a message id between our read and our commit. A retry finds it in the record."""
