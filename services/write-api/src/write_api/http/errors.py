"""The errors of a request that are no refusals of the domain."""


class MalformedJsonError(Exception):
    """The body is not JSON."""


class UnsupportedMediaTypeError(Exception):
    """The body is not declared as JSON in UTF-8, or as encoded."""


class ClientGoneError(Exception):
    """The request broke off before its end, so nobody reads the response."""


class RefusedError(Exception):
    """The command was handled, now or before, and refused. `code` and `message` are those of the outcome."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)
