from uuid import UUID

from cheeper_contracts.ids import milliseconds_of
from write_api.bus.ids import new_id


def test_a_new_id_contains_its_time():
    """Every new id is of version 7, differs from the others, and is ordered by time."""
    first, second = new_id(), new_id()
    assert (UUID(first).version, UUID(second).version) == (7, 7)
    assert first != second
    assert milliseconds_of(first) <= milliseconds_of(second)
