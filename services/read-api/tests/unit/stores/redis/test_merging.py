from read_api.stores.redis.merging import READER_BYTES, Guesses


def test_what_is_remembered_is_bounded():
    """The places of the least recent readers are evicted, and those of a reader who follows more than
    there is room for.

    Fails where who asks again keeps the old turn, and where a reader is taken to need no more than the guesses.
    """
    guesses = Guesses(most=2 * READER_BYTES + 40)
    for reader in ("ann", "bob", "ann", "cid"):
        guesses[reader] = reader[:1].encode() * 16
    assert (guesses["ann"], guesses["bob"], guesses["cid"]) == (b"a" * 16, b"", b"c" * 16)
    guesses["cid"] = b"c" * 24
    assert (guesses["ann"], guesses["cid"]) == (b"a" * 16, b"c" * 24)
    guesses["dan"] = bytes(READER_BYTES + 41)
    assert (guesses["ann"], guesses["cid"], guesses["dan"]) == (b"", b"", b"")
    guesses["eve"] = bytes(READER_BYTES + 40)
    assert len(guesses["eve"]) == READER_BYTES + 40
