"""The model of docs/capacity.md against a simulation and against arithmetic by hand."""

from __future__ import annotations

import importlib
import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "docs" / "tools"


@pytest.fixture(scope="module")
def capacity():
    """The model, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        return importlib.import_module("capacity")


@pytest.fixture(scope="module")
def tables():
    """The tables, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        return importlib.import_module("capacity_tables")


@pytest.fixture(scope="module")
def graph():
    """The followers of each of 20,000 authors by rank, who each follow 20 different others that they draw by rank."""
    drawn, authors = random.Random(7), 20_000
    weights = [rank**-0.75 for rank in range(1, authors + 1)]
    heap = list(itertools.accumulate(weights))
    followers = [0] * authors
    for reader in range(authors):
        chosen = set()
        while len(chosen) < 20:
            chosen |= set(drawn.choices(range(authors), cum_weights=heap, k=20 - len(chosen))) - {reader}
        for author in chosen:
            followers[author] += 1
    return followers


def test_followers_are_as_in_a_simulation(capacity, graph):
    """The model's followers of the first ranks, and of a tenth and a half of all, are those of a drawn graph."""
    model = capacity.Followers(20_000, 20, 0.75, 1 / 3)
    assert sum(graph) == 20_000 * 20
    for last in (10, 100, 2_000, 10_000):
        expected = sum(model.of_rank(rank) for rank in range(1, last + 1))
        assert sum(graph[:last]) == pytest.approx(expected, rel=0.1), last


def test_deliveries_are_as_in_a_simulation(capacity, graph):
    """The model's mean number of deliveries is that of posts drawn in a graph, in which heavy authors post more."""
    model = capacity.Followers(20_000, 20, 0.75, 1 / 3)
    posts = random.Random(8).choices(graph, weights=[each ** (1 / 3) for each in graph], k=50_000)
    assert sum(posts) / len(posts) == pytest.approx(model.per_post(), rel=0.1)
    evenly = capacity.Followers(20_000, 20, 0.75, 0)
    assert evenly.per_post() == pytest.approx(20)


def test_authors_above_a_number_are_as_in_a_simulation(capacity, graph):
    """The model's number of heavy authors, and their share of the deliveries, are those of a drawn graph."""
    model = capacity.Followers(20_000, 20, 0.75, 1 / 3)
    heavy = [each for each in graph if each > 200]
    assert len(heavy) == pytest.approx(model.above(200), rel=0.15)
    delivered = [sum(each ** (4 / 3) for each in part) for part in (heavy, graph)]
    assert delivered[0] / delivered[1] == pytest.approx(model.share_above(200), rel=0.1)


@given(st.integers(20, 20_000), st.floats(0.05, 1.6))
def test_sums_of_powers_are_those_of_a_loop(last, power):
    """The sum by formula is the sum by addition, also where the power is 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        module = importlib.import_module("capacity")
    for each in (power, 1.0):
        assert module._power_sum(last, each) == pytest.approx(sum(n**-each for n in range(1, last + 1)), rel=1e-3)


def test_a_demand_by_hand(capacity):
    """With round figures, rates, cores, disk and memory are what a person computes."""
    v = dict.fromkeys(capacity.data().values(), 0.0)
    v |= {"follows": 10.0, "slope": 0.75, "activity": 0.0, "peak": 2.0, "days": 100.0, "record_days": 7.0}
    v |= {"posts_a_day": 0.864, "new_follows_a_day": 0.0, "pages_a_day": 8.64, "queries_a_day": 0.0}
    v |= {"commands_of_a_follow": 2.0, "worker_command": 100.0, "redis_delivery": 5.0, "list_entries": 800.0}
    v |= {
        "entry": 25.0,
        "postgresql_post": 1000.0,
        "postgresql_author": 500.0,
        "redis_record": 700.0,
        "page_bytes": 2000.0,
    }
    found = capacity.demand(1_000_000, v)
    assert found.rates["posts"] == pytest.approx(20)
    assert found.rates["deliveries"] == pytest.approx(200)
    assert found.cores["worker"] == pytest.approx(20 * 100e-6)
    assert found.cores["Redis"] == pytest.approx(200 * 5e-6)
    assert found.disk["PostgreSQL"] == pytest.approx(1e6 * 500 + 1e6 * 0.864 * 100 * 1000)
    assert found.memory == pytest.approx(1e6 * 800 * 25 + 1e6 * 0.864 * 7 * 700)
    assert found.network["to clients"] == pytest.approx(200 * 2000)


def test_each_limit_is_reached_where_the_table_says(capacity):
    """Just below the number of authors a part suffices, and at it not; more authors never need less."""
    v = capacity.data().values()
    for name, share in capacity.LIMITS.items():
        at = capacity.first_authors(share, v)
        assert share(capacity.demand(at * 0.998, v), v) < 1 <= share(capacity.demand(at, v), v), name
        shares = [share(capacity.demand(authors, v), v) for authors in (1e5, 1e6, 1e7, 1e8, 1e9)]
        assert shares == sorted(shares), name


def test_machines_suffice(capacity):
    """The computed machines have the cores, the memory and the disk of the demand, with the room that is left free."""
    v = capacity.data().values()
    for authors in (1e6, 1e8, 1e9):
        of = capacity.demand(authors, v)
        found = capacity.machines(of, v)
        for role, count in found.processes.items():
            assert of.cores[role] <= count * v["utilisation"], role
        assert of.memory <= found.redis_shards * v["shard_memory"] * capacity.GIB
        assert of.cores["Redis"] <= found.redis_shards * v["utilisation"]
        assert of.disk["PostgreSQL"] <= found.write_databases * v["server_disk"] * capacity.TB
        assert found.partitions >= found.processes["projector"]


def test_every_figure_is_used_and_has_a_source(capacity):
    """Each figure of the data file is read by the model and says where it comes from."""
    code = (TOOLS / "capacity.py").read_text()
    data = capacity.data()
    for name, each in (data.behaviour | data.costs | data.limits).items():
        used = f'"{name}"' in code
        used = used or (name.endswith("_a_day") and f'"{name.removesuffix("_a_day")}"' in code)
        used = used or any(
            name == f"{where}_{what}"
            for where in ("postgresql", "mongodb", "redis", "kafka")
            for what in ("author", "follow", "post")
        )
        assert used, name
        assert each.source
        assert each.value > 0


def test_numbers_have_two_digits(tables):
    """A number is rounded to two digits that count, and large ones have separators."""
    texts = {0.0123: "0.012", 9.96: "10", 12.3: "12", 1_260: "1,300", 99_600_000: "100,000,000"}
    assert {number: tables._number(number) for number in texts} == texts
