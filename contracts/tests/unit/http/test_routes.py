import pytest

from cheeper_contracts.http.routes import AUTHOR, AUTHORS, CHEEP, ROUTES, TIMELINE, route_of


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/author", AUTHORS),
        ("/author/1", AUTHOR),
        ("/author/1/timeline", TIMELINE),
        ("/cheep/1", CHEEP),
        ("/", None),
        ("/author/", None),
        ("/author//timeline", None),
        ("/author/1/timeline/", None),
        ("/nothing", None),
    ],
)
def test_a_path_falls_on_its_route(path, route):
    """A path matches a template segment by segment, and a parameter is never empty."""
    assert route_of(path) == route


def test_allow_names_the_methods_of_both_services():
    """Neither service alone knows what a path allows."""
    assert AUTHORS.allow == "GET, HEAD, POST, OPTIONS"
    assert TIMELINE.allow == "GET, HEAD, OPTIONS"


def test_no_two_routes_share_a_path():
    """One path has one entry: two would respond differently in the two services."""
    assert len({route.path for route in ROUTES}) == len(ROUTES)
