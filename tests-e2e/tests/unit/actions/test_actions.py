"""Acts and their drawing, without a system."""

import random

from cheeper_e2e.actions.actions import Scene
from cheeper_e2e.actions.drawing import Drawing


def test_a_scene_is_the_same_each_time():
    """A scene's name fixes every id and text; another name's are others."""
    one, same, other = Scene("one"), Scene("one"), Scene("other")
    assert one.post_cheep(1, 2, 3) == same.post_cheep(1, 2, 3)
    assert set(one.post_cheep(1, 2, 3).body.values()).isdisjoint(other.post_cheep(1, 2, 3).body.values())


def test_a_draw_is_the_same_each_time():
    """The same seed draws the same actions, whatever the responses are."""

    def actions(seed):
        drawing, draw = Drawing(Scene("a"), 5), random.Random(seed)
        return [drawing.action(draw) for _ in range(50)]

    drawn = [actions(seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_every_command_is_drawn():
    """Each command, each by its method and path; ids are drawn again, cheeps answered, others' cheeps touched."""
    scene = Scene("a")
    drawing, draw = Drawing(scene, 5), random.Random(1)
    actions = [drawing.action(draw) for _ in range(2_000)]
    shapes = {(action.method, action.path.count("/"), action.path.split("/")[1]) for action in actions}
    assert shapes == {
        ("POST", 1, "author"),
        ("PATCH", 2, "author"),
        ("PUT", 3, "author"),
        ("POST", 1, "follow"),
        ("DELETE", 4, "author"),
        ("PUT", 4, "author"),
        ("POST", 1, "cheep"),
        ("PATCH", 2, "cheep"),
        ("DELETE", 2, "cheep"),
        ("POST", 3, "cheep"),
    }
    posted = [action.body["cheep_id"] for action in actions if "cheep_id" in (action.body or {})]
    followed = [action.body["follow_id"] for action in actions if "follow_id" in (action.body or {})]
    for ids in (posted, followed):
        assert len(set(ids)) < len(ids)
    assert {action.certain for action in actions} == {
        None,
        "cannot_follow_self",
        "cannot_mute_self",
        "cannot_block_self",
        "invalid",
    }


def test_whom_an_act_is_about():
    """An action is about the ids in its path, its parameters and its body, and about no other."""
    scene = Scene("a")
    assert scene.delete_cheep(1, 2).is_about(scene.id_of("author", 1))
    assert scene.delete_cheep(1, 2).is_about(scene.id_of("cheep", 2))
    assert scene.follow(1, 2, 3).is_about(scene.id_of("author", 2))
    assert not scene.follow(1, 2, 3).is_about(scene.id_of("author", 3))
