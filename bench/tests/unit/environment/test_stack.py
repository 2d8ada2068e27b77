from collections import Counter

from cheeper_bench.environment.stack import Whole, keep_logs


def test_refused_requests_are_noted_by_status():
    """A row reports them instead of being lost; those without a response count as well."""
    stack = Whole(stack=None, port=1, env={}, graph=None)
    assert stack.note_refused({}, 0) == 0
    assert not stack.refusals
    assert stack.note_refused({503: 2, 429: 1}, 3) == 6
    assert stack.note_refused({503: 1}) == 1
    assert stack.refusals == Counter({"503": 3, "429": 1, "unanswered": 3})


def test_logs_outlive_the_stack_that_refused(tmp_path, capsys):
    """They are copied before the stack's folder is removed, and people read where to."""
    logs = tmp_path / "stack" / "logs"
    logs.mkdir(parents=True)
    (logs / "worker.log").write_text("why")
    folder = keep_logs(logs, "Refused: {'503': 1}", tmp_path / "kept")
    assert (folder / "worker.log").read_text() == "why"
    assert f"Refused: {{'503': 1}}. The logs of the stack are in {folder}." in capsys.readouterr().err
