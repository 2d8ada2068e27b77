import pytest

from cheeper_bench.benches import BENCHES
from cheeper_bench.benches.stack import mixed, pays_off
from cheeper_bench.benches.stack.mixed import Requests
from cheeper_bench.environment.graph import power_law


@pytest.mark.parametrize("bench", BENCHES.values(), ids=BENCHES)
def test_each_benchmark_says_what_it_measures_and_why_that_is_fair(bench):
    """A module's docstring is the text above its table."""
    assert len(bench.about.strip().splitlines()) >= 4
    assert bench.open.__module__.endswith(bench.name)


def test_a_mix_is_drawn_in_its_shares():
    """Of many requests (seed 1) each kind has its share to a few percent."""
    world = power_law(50, follows=3, cheeps=1)
    for mix in mixed.MIXES.values():
        kinds = [name for name, _ in Requests(world, mix).some(5_000)]
        for name, share in mix.items():
            assert kinds.count(name) / len(kinds) == pytest.approx(share, abs=0.03)


def test_groups_of_the_scenarios_know_nothing_of_each_other():
    """Each reader follows as many authors as its group says, all of the same group, and a post goes to as many."""
    sizes = pays_off._SIZES["tiny"]
    world, groups = pays_off.islands(sizes)
    for many, group in groups.items():
        wanted = max(1, int(many * sizes.part))
        assert set(group.readers) <= set(group.authors)
        for reader in group.readers:
            followed = [other for one, other in world.follows if one == reader]
            assert len(set(followed)) == len(followed) == wanted
            assert reader not in followed
            assert set(followed) <= set(group.authors)
    assert sum(len(group.authors) for group in groups.values()) == world.authors


def test_requests_of_a_scenario_are_of_its_own_readers_and_authors():
    """Reads ask for timelines of the group's readers, at the share that the scenario says."""
    world, groups = pays_off.islands(pays_off._SIZES["tiny"])
    group = groups[100]
    requests = pays_off.requests_of(world, group, 75).some(2_000)
    reads = [content for name, content in requests if name == "timeline"]
    assert len(reads) / len(requests) == pytest.approx(0.75, abs=0.04)
    paths = {f"/author/{world.author_id(reader)}/timeline".encode() for reader in group.readers}
    assert {content.split(b" ")[1].partition(b"?")[0] for content in reads} == paths
