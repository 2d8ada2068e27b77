from cheeper_contracts.http.responses import STATUS_OF
from write_api.domain.errors import Refusal


def test_every_refusal_has_a_status():
    """Each leaf of the tree carries a code of its own that the one table knows."""
    codes = [leaf.code for leaf in Refusal.__subclasses__()]
    assert len(codes) == len(set(codes)) == 17
    assert set(codes) <= set(STATUS_OF)
