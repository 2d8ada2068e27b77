import pytest

from projector.cli import main as cli

SERVERS = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "REDIS_URL": "redis://:secret@127.0.0.1:1/0",
    "MONGO_URL": "mongodb://u:secret@127.0.0.1:1/?directConnection=true",
}


def options(*arguments):
    return cli._parser().parse_args(["dead-letters", *arguments])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["list"], {"action": "list", "store": "all"}),
        (["list", "--store", "mongo"], {"action": "list", "store": "mongo"}),
        (["show", "redis:3:17"], {"action": "show", "id": ("redis", "3:17")}),
        (["replay", "some-key"], {"action": "replay", "key": "some-key", "all": False, "store": "all"}),
        (["replay", "--all", "--store", "redis"], {"action": "replay", "key": None, "all": True, "store": "redis"}),
        (["drop", "mongo:0:t-1@5", "--yes"], {"action": "drop", "id": ("mongo", "0:t-1@5"), "yes": True}),
    ],
)
def test_each_form_of_the_command_line_is_parsed(given, expected):
    """Each act takes what it needs: a store or both, a key or all, one message."""
    assert {**vars(options(*given)), **expected} == vars(options(*given))


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["list", "--store", "kafka"],
        ["show"],
        ["show", "17"],
        ["show", "postgres:1:2"],
        ["replay"],
        ["replay", "key", "--all"],
        ["drop", "redis"],
    ],
)
def test_another_form_of_the_command_line_ends_with_2(given, capsys):
    """The command line reports the error, and nothing is touched."""
    with pytest.raises(SystemExit) as ended:
        options(*given)
    assert ended.value.code == 2
    assert "usage: projector dead-letters" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["list"], ["show", "redis:1:2"], ["replay", "--all"]])
def test_an_unavailable_store_is_named_without_its_secret(given, capsys, monkeypatch):
    """Exit code 1 and one sentence, however it is called."""
    for name, value in SERVERS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        cli.main(["dead-letters", *given])
    printed = capsys.readouterr()
    assert ended.value.code == 1
    assert printed.err.startswith("projector: ")
    assert "secret" not in printed.out + printed.err
