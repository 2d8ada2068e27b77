from hypothesis import given
from hypothesis import strategies as st

from inspector.sources.write_model import full_xid


@given(st.integers(3, 2**40), st.integers(0, 2**31))
def test_a_transaction_is_known_by_its_low_half(newest, age):
    """Of any transaction of the last two thousand million, PostgreSQL's 32 bits give all 64."""
    xid = max(3, newest - age)
    assert full_xid(xid % 2**32, newest) == xid
