"""The gateway's table of this service's paths, which is in its own file of settings."""

import re
from pathlib import Path

CADDYFILE = Path(__file__).parents[5] / "deploy" / "Caddyfile"
OWN = {"/health/live", "/health/ready", "/metrics"}


def _forwarded():
    snippet = re.search(r"\(identity_paths\) \{\n(.*?)\n\}", CADDYFILE.read_text(), re.DOTALL)[1]
    lines = re.findall(r'~\^(\S+)\$ "([A-Z, ]+)"', snippet)
    return {path.replace("[.]", "."): set(methods.split(", ")) for path, methods in lines}


def test_the_gateway_forwards_every_route_and_no_other(service, new_app):
    """A route with its methods that the gateway does not know is one that nobody reaches."""
    routes = {route.path: set(route.methods) | {"OPTIONS"} for route in new_app(service).routes}
    assert set(routes) >= OWN
    assert _forwarded() == {path: methods for path, methods in routes.items() if path not in OWN}
