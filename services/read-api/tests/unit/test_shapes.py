from read_api.queries.shapes import as_text


def test_times_are_whole_seconds_of_utc():
    """Microseconds are cut off, not rounded."""
    assert as_text(1_647_292_130_999_999) == "2022-03-14T21:08:50+00:00"
    assert as_text(0) == "1970-01-01T00:00:00+00:00"
