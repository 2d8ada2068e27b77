from read_api.query_bus.query import Result


def test_a_result_keeps_all_but_its_data_when_it_is_mapped():
    """The counts of a look-up, and that it is not settled, do not depend on the shape of the data; None stays None."""
    found = Result(data=1, settled=False, next_cursor="c", total=2, unread=3, total_is_capped=True, costly=True)
    mapped = found.map(str)
    assert mapped == Result(
        data="1", settled=False, next_cursor="c", total=2, unread=3, total_is_capped=True, costly=True
    )
    assert Result(data=None, total=2).map(str) == Result(data=None, total=2)
