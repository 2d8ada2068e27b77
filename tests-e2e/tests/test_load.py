"""The load: a sample of a hundred authors ends with every view equal, and loading it again changes nothing."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from cheeper_e2e import load
from cheeper_e2e.client import Client
from cheeper_e2e.people import Person, follow, sign_up, somebody
from cheeper_e2e.world import read_world

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SEED = 20_221_123


@pytest.fixture
def files(tmp_path):
    """The real graph and texts where they are at hand, else a random graph and random texts."""
    graph, texts = DATA / "reed98.edges", DATA / "tweets.txt"
    if graph.exists() and texts.exists():
        return graph, texts
    draw = random.Random(SEED)
    graph, texts = tmp_path / "graph.edges", tmp_path / "texts.txt"
    pairs = {tuple(sorted(draw.sample(range(120), 2))) for _ in range(1_500)}
    graph.write_text("".join(f"{one} {other}\n" for one, other in sorted(pairs)))
    texts.write_text("".join(f"Text {number} {draw.random()}\n" for number in range(500)))
    return graph, texts


def run(url, graph, texts, *more):
    return load.main(["--url", url, "--graph", str(graph), "--texts", str(texts), *more])


@pytest.mark.timeout(600)
def test_a_sample_of_a_hundred_authors(url, files, capsys):
    """Every counter and timeline of the sample is as sent, at once and when the same is loaded again."""
    for measured in ("p50", "not measured"):
        code = run(url, *files, "--authors", "100", "--seed", str(SEED))
        printed = capsys.readouterr().out
        assert code == 0, printed
        assert measured in printed
        with capsys.disabled():
            sys.stdout.write(f"\n{printed}")


def test_a_difference_is_found(url, tmp_path, capsys):
    """A follow that the load did not send is a difference: exit code 1, and the author is named."""
    graph, texts = tmp_path / "graph", tmp_path / "texts"
    graph.write_text("1 2\n")
    texts.write_text(f"Hello {somebody().username}\n")
    assert run(url, graph, texts) == 0
    world = read_world(graph, texts)

    async def interfere():
        async with Client(url) as client:
            await follow(client, await sign_up(client), Person(world.author_id(1), world.username(1), ""))

    asyncio.run(interfere())
    capsys.readouterr()
    assert run(url, graph, texts) == 1
    printed = capsys.readouterr().out
    assert f"followers-counter of {world.author_id(1)}: numberOfFollowers is 2, not 1" in printed
    assert "1 of 2 match" in printed


@pytest.mark.parametrize(
    ("graph", "texts", "sentence"),
    [
        (None, "Hello\n", "{graph} cannot be read: No such file or directory."),
        ("1 2\n", None, "{texts} cannot be read: No such file or directory."),
        ("1 2\n3\n", "Hello\n", "{graph}, line 2: '3' is not a pair of numbers."),
        ("1 2\n\n# note\n3 x\n", "Hello\n", "{graph}, line 4: '3 x' is not a pair of numbers."),
        ("1 1\n", "Hello\n", "{graph}, line 1: 1 cannot be a friend of itself."),
        ("\n", "Hello\n", "{graph} holds no edge, so there is nobody to sign up."),
        ("1 2\n", "Hello\n\nx\n", "{texts}, line 2: a cheep has 1 to 260 characters, this one 0."),
        ("1 2\n", "a" * 261, "{texts}, line 1: a cheep has 1 to 260 characters, this one 261."),
        ("1 2\n", "a\tb", "{texts}, line 1: a cheep cannot hold control characters."),
    ],
)
def test_files_that_cannot_be_loaded(tmp_path, capsys, graph, texts, sentence):
    """A missing file or a malformed line is told in one sentence that names both, with exit code 2."""
    paths = {"graph": tmp_path / "graph", "texts": tmp_path / "texts"}
    for path, content in zip(paths.values(), (graph, texts), strict=True):
        if content is not None:
            path.write_text(content)
    assert run("http://127.0.0.1:9", paths["graph"], paths["texts"]) == 2
    assert capsys.readouterr().err == sentence.format(**paths) + "\n"


def test_a_file_that_is_not_utf_8(tmp_path, capsys):
    """Bytes that are no text are named by line."""
    graph, texts = tmp_path / "graph", tmp_path / "texts"
    graph.write_text("1 2\n")
    texts.write_bytes(b"Hello\nW\xf6rld\n")
    assert run("http://127.0.0.1:9", graph, texts) == 2
    assert capsys.readouterr().err == f"{texts}, line 2 is not UTF-8.\n"


def test_nobody_answers(tmp_path, capsys):
    """Where no gateway answers the load says so, with exit code 2."""
    graph, texts = tmp_path / "graph", tmp_path / "texts"
    graph.write_text("1 2\n")
    texts.write_text("Hello\n")
    assert run("http://127.0.0.1:9", graph, texts, "--patience", "0") == 2
    assert capsys.readouterr().err.startswith("Nothing answers at http://127.0.0.1:9")
