import msgspec

from cheeper_contracts.http.responses import Answer, Meta, Problem, WrongField


def test_what_is_not_so_is_left_out():
    """The meta of a plain response is its message id alone; it has a cursor or `stale` only if that means something."""
    assert msgspec.to_builtins(Answer(data=1, meta=Meta(message_id="m"))) == {"data": 1, "meta": {"message_id": "m"}}
    assert msgspec.to_builtins(Meta(message_id="m", next_cursor="c", stale=True)) == {
        "message_id": "m",
        "next_cursor": "c",
        "stale": True,
    }


def test_a_problem_names_fields_only_where_fields_are_wrong():
    """The form of an error: a sentence, a code, and wrong fields if any."""
    assert msgspec.to_builtins(Problem(message="No.", code="invalid")) == {"message": "No.", "code": "invalid"}
    wrong = Problem(message="No.", code="invalid", fields=(WrongField("name", "is too long"),))
    assert msgspec.json.decode(msgspec.json.encode(wrong))["fields"] == [{"field": "name", "message": "is too long"}]
