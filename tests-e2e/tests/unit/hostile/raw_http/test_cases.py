"""The draw of cases."""

import re

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from cheeper_e2e.hostile.raw_http.cases import Case, Ending, altered, case

BATCH = 16


def drawing(examples):
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def drawn(number, batches):
    found = []

    @seed(number)
    @drawing(batches)
    @given(st.lists(case(), min_size=BATCH, max_size=BATCH))
    def draw(batch):
        found.extend(batch)

    draw()
    return found


def test_a_seed_draws_the_same_cases_again():
    """A seed and a case's number are enough to find its bytes again; another seed draws others."""
    first = drawn(1, 2)
    assert first == drawn(1, 2)
    assert first != drawn(2, 2)


def test_every_kind_of_fault_is_drawn():
    """A few hundred cases have each shape that servers differ about, and sound requests between them."""
    found = drawn(1, 30)
    sent = b"\n".join(one.sent for one in found)
    for shape in (
        rb"Content-Length: (?!\d+\r?\n)",
        rb"Content-Length: \d+\r\nTransfer-Encoding",
        rb"Transfer-Encoding: [^\r]+\r\nContent-Length",
        rb"Transfer-Encoding: (?!chunked\r)",
        rb"\r\n(zz|-1|0x5|\+5| 5|F{16,17})\r\n",
        rb"\r\n[ \t]+\w",
        rb"%(ff|zz|00| )",
        rb"HTTP/1.1\nHost",
    ):
        assert re.search(shape, sent), shape
    assert {one.ending for one in found} >= {Ending.FINISH, Ending.HALF, Ending.ABORT}
    assert any(len(one.pieces) > 1 for one in found)
    assert any(one.sent.count(b" HTTP/1.1\r\n") > 1 for one in found)
    sound = re.compile(rb"[A-Z]{3,7} /[0-9a-z/-]+ HTTP/1.1\r\nHost: \S+\r\n\r\n")
    assert any(sound.fullmatch(one.sent) for one in found)


@given(st.binary(max_size=50).flatmap(lambda sent: st.tuples(st.just(sent), altered(sent))))
@drawing(200)
def test_altered_bytes_keep_most_of_the_request(pair):
    """A part of 40 bytes at most is lost, unless the rest is cut off."""
    sent, changed = pair
    assert sent.startswith(changed) or len(changed) >= len(sent) - 40


def test_a_case_knows_whether_a_request_may_be_head():
    """The method may be that of any request, and may be cut in two."""
    assert Case(pieces=(b"GET / HTTP/1.1\r\n\r\nHE", b"AD / HTTP/1.1\r\n\r\n"), ending=Ending.HALF).has_head
    assert not Case(pieces=(b"GET / HTTP/1.1\r\n\r\n",), ending=Ending.HALF).has_head
