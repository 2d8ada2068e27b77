"""What can be wrong with a request before any command is made of it, beside wrong fields."""


class MalformedJsonError(Exception):
    """The body is not JSON."""


class UnsupportedMediaTypeError(Exception):
    """The body is not declared as JSON in UTF-8."""
