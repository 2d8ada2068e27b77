import io

from rich.console import Console

from cheeper_e2e.demo.screen import Screen
from cheeper_e2e.http.client import Reply

UNCHANGED = "The rest of the stores is unchanged."


def shown(screen: Screen, printed: io.StringIO, queue: str, *lines: str) -> list[str]:
    printed.truncate(printed.seek(0))
    screen.show_changes({"commands": queue}, [("Redis", "followers", list(lines)), ("Redis", "tasks", [])])
    return printed.getvalue().splitlines()


def test_changes_of_queues_and_stores_are_marked():
    """New lines have a plus, deleted lines a minus, and queues with other numbers a star."""
    printed = io.StringIO()
    screen = Screen(Console(file=printed, soft_wrap=True))
    assert shown(screen, printed, "0") == ["Queues", "    commands        0", UNCHANGED]
    shown(screen, printed, "1", "bob: alice")
    assert shown(screen, printed, "2", "bob: alice", "eve: alice") == [
        "Queues",
        "  * commands        2",
        "Redis, followers",
        "    bob: alice",
        "  + eve: alice",
        UNCHANGED,
    ]
    assert "  - bob: alice" in shown(screen, printed, "2", "eve: alice")


def test_log_lines_are_shown_on_request_only():
    """By default a process is one line, its command line."""
    for log, lines in ((False, 1), (True, 2)):
        printed = io.StringIO()
        Screen(Console(file=printed), log=log).show_process("write-api worker --limit 1", '{"event": "ready"}\n')
        assert len(printed.getvalue().splitlines()) == lines


def test_a_response_is_one_line_below_its_request():
    """The request is a curl line that can be sent again."""
    printed = io.StringIO()
    reply = Reply(status=200, headers={}, raw=b"", curl="curl -s url", data={"a": 1}, meta={})
    Screen(Console(file=printed, soft_wrap=True)).show_response(reply)
    assert printed.getvalue() == '$ curl -s url\n200 {"data": {"a": 1}, "meta": {}}\n'


async def test_without_a_keyboard_the_steps_do_not_pause():
    """`PAUSE=1` in a script does not wait for ever."""
    await Screen(Console(file=io.StringIO()), pause=True).wait_for_key()
