import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.views import CheepDocument, CheepRecord, pack_entry, whole_seconds
from read_api.queries.shapes import ShownCheep, as_shown, shown_record

CHEEP = "00000000-0000-4000-8000-000000000001"
AUTHOR = "00000000-0000-4000-8000-00000000000a"


@given(date=st.integers(0, 4_000_000_000_000_000), message=st.text())
def test_a_cheep_is_the_same_from_either_store(date, message):
    """Redis and MongoDB show a cheep in the same form, with all its microseconds."""
    shared = {"cheep_id": CHEEP, "author_id": AUTHOR, "author_username": "bob"}
    record = CheepRecord(cheep_date=whole_seconds(date), cheep_message=message, **shared)
    shown = msgspec.json.decode(shown_record(pack_entry(date, CHEEP), msgspec.json.encode(record)), type=ShownCheep)
    document = CheepDocument(cheep_date=date, message=message, words=[], in_reply_to=None, edited_at=None, **shared)
    assert shown == as_shown(document)
    seconds, _, rest = shown.posted_at.removesuffix("+00:00").partition(".")
    assert (f"{seconds}+00:00", int(rest), len(rest)) == (shown.cheep_date, date % 1_000_000, 6)
