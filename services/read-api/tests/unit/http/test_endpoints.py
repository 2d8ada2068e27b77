import msgspec

from cheeper_contracts.http.routes import ROUTES
from read_api.http.endpoints import ENDPOINTS, STREAMED


def test_every_query_route_has_its_endpoint():
    """The table has exactly the query routes of the contracts."""
    assert {endpoint.route.path for endpoint in (*ENDPOINTS, *STREAMED)} == {
        route.path for route in ROUTES if route.queries
    }


def test_parameters_are_fields_of_their_query():
    """A row of the table can be turned into its query."""
    for endpoint in ENDPOINTS:
        fields = {field.name for field in msgspec.structs.fields(endpoint.query)}
        assert {parameter.field for parameter in endpoint.parameters} == fields - {"sender"}
