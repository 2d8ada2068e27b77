import msgspec

from cheeper_contracts.http.documented import STATUS_OF_DOCUMENTED, by_status, error_example
from cheeper_contracts.http.responses import Answer, Problem


def test_every_code_has_an_example_in_the_form_of_a_response():
    """Each code of the table has an example, which decodes as the body of an error and has that code."""
    for code in STATUS_OF_DOCUMENTED:
        body = msgspec.convert(error_example(code), Answer[Problem])
        assert body.data.code == code
        assert bool(body.data.fields) == (code == "invalid")


def test_codes_are_grouped_by_their_status():
    """Codes stand in the order of the table, whatever the order in which they come, and once each."""
    codes = ["overloaded", "cannot_follow_self", "invalid", "unavailable", "invalid"]
    assert by_status(codes) == {422: ["invalid", "cannot_follow_self"], 503: ["unavailable", "overloaded"]}
