"""Which refusal a constraint of a table stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from write_api.domain.errors import Refusal


@contextmanager
def refusing(refusals: Mapping[str, Refusal]) -> Iterator[None]:
    """Raise the refusal of the constraint that a statement breaks, by the constraint's name.

    The statement's transaction is spoilt then, up to the savepoint around it.
    """
    try:
        yield
    except IntegrityError as error:
        diagnostics = getattr(error.orig, "diag", None)
        refusal = refusals.get(getattr(diagnostics, "constraint_name", None) or "")
        if refusal is None:
            raise
        raise refusal from error
