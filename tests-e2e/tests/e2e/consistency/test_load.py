"""The load: a sample of a hundred authors ends with every view equal, and loading it again changes nothing."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from cheeper_e2e.authors import Author, follow, new_author, sign_up
from cheeper_e2e.http.client import Client
from cheeper_e2e.load import __main__ as load
from cheeper_e2e.load.workload import read_workload

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
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


@pytest.mark.extended
@pytest.mark.takes(seconds=60)
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
    texts.write_text(f"Hello {new_author().username}\n")
    assert run(url, graph, texts) == 0
    world = read_workload(graph, texts)

    async def interfere():
        async with Client(url) as client:
            await follow(client, await sign_up(client), Author(world.author_id(1), world.username(1), ""))

    asyncio.run(interfere())
    capsys.readouterr()
    assert run(url, graph, texts) == 1
    printed = capsys.readouterr().out
    assert f"followers-counter of {world.author_id(1)}: numberOfFollowers is 2, not 1" in printed
    assert "1 of 2 match" in printed
