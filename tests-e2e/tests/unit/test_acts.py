"""Acts and their drawing, without a system."""

import random

from cheeper_e2e.acts import Scene
from cheeper_e2e.drawing import Drawing


def test_a_scene_is_the_same_each_time():
    """A scene's name fixes every id and text; another name's are others."""
    one, same, other = Scene("one"), Scene("one"), Scene("other")
    assert one.post_cheep(1, 2, 3) == same.post_cheep(1, 2, 3)
    assert set(one.post_cheep(1, 2, 3).body.values()).isdisjoint(other.post_cheep(1, 2, 3).body.values())


def test_a_draw_is_the_same_each_time():
    """The same seed draws the same acts, whatever is answered."""

    def acts(seed):
        drawing, draw = Drawing(Scene("a"), 5), random.Random(seed)
        return [drawing.act(draw) for _ in range(50)]

    drawn = [acts(seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_every_command_is_drawn():
    """Nine commands, each by its method and path; ids are drawn again, cheeps answered, others' cheeps touched."""
    scene = Scene("a")
    drawing, draw = Drawing(scene, 5), random.Random(1)
    acts = [drawing.act(draw) for _ in range(2_000)]
    shapes = {(act.method, act.path.count("/"), act.path.split("/")[1]) for act in acts}
    assert shapes == {
        ("POST", 1, "author"),
        ("PATCH", 2, "author"),
        ("PUT", 3, "author"),
        ("POST", 1, "follow"),
        ("DELETE", 4, "author"),
        ("POST", 1, "cheep"),
        ("PATCH", 2, "cheep"),
        ("DELETE", 2, "cheep"),
        ("POST", 3, "cheep"),
    }
    posted = [act.body["cheep_id"] for act in acts if "cheep_id" in (act.body or {})]
    followed = [act.body["follow_id"] for act in acts if "follow_id" in (act.body or {})]
    for ids in (posted, followed):
        assert len(set(ids)) < len(ids)
    assert {act.certain for act in acts} == {None, "cannot_follow_self", "invalid"}


def test_whom_an_act_is_about():
    """An act is about the ids in its path, its parameters and its body, and about no other."""
    scene = Scene("a")
    assert scene.delete_cheep(1, 2).is_about(scene.id_of("author", 1))
    assert scene.delete_cheep(1, 2).is_about(scene.id_of("cheep", 2))
    assert scene.follow(1, 2, 3).is_about(scene.id_of("author", 2))
    assert not scene.follow(1, 2, 3).is_about(scene.id_of("author", 3))
