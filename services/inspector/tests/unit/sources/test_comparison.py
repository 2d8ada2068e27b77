from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from inspector.sources.comparison import span_of


@given(st.uuids(), st.uuids())
def test_a_span_has_one_id_alone(identifier, other):
    """Of all ids in the order of their texts, which is that of UUIDs, the range has this one and no other."""
    span = span_of(str(identifier))
    within = (span.after is None or str(other) > span.after) and str(other) <= span.upto
    assert within == (other == identifier)
    assert span.ids == (str(identifier),)


def test_the_first_id_has_an_open_range_before_it():
    """No id is before the first one."""
    assert span_of(str(UUID(int=0))).after is None
