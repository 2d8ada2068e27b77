from litestar.enums import HttpMethod

from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.routes import ROUTES
from write_api.features import ENDPOINTS, FEATURES


def test_every_command_is_a_feature():
    """No command of the catalogue is without a handler, and none has two."""
    assert [feature.command for feature in FEATURES] == list(COMMANDS)


def test_every_command_route_has_its_endpoint():
    """What the routes promise to be answered here is answered here, and nothing else is."""
    wanted = {(route.path, method) for route in ROUTES for method in route.commands}
    found = {
        (path.replace(":str", ""), HttpMethod(method).value)
        for one in ENDPOINTS
        for path in one.paths
        for method in one.http_methods
    }
    assert found == wanted
