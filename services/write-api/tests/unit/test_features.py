from cheeper_contracts.catalogue import COMMANDS
from cheeper_contracts.http.routes import ROUTES
from write_api.features import ENDPOINTS, FEATURES


def test_every_command_is_a_feature():
    """No command of the catalogue is without a handler, and none has two."""
    assert [feature.command for feature in FEATURES] == list(COMMANDS)


def test_every_command_route_has_its_endpoint():
    """Every method that the routes assign to commands is an endpoint, and no other is."""
    wanted = {(route.path, method) for route in ROUTES for method in route.commands}
    assert {(endpoint.route.path, endpoint.method) for endpoint in ENDPOINTS.values()} == wanted
