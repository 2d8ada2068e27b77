from __future__ import annotations

from pathlib import Path

from cheeper_local.servers import Mongo
from cheeper_local.servers.containers import MongoContainer

COMPOSE = Path(__file__).parents[5] / "docker-compose.yaml"
OPTION = "--slowOpSampleRate 0"


def test_no_mongod_logs_operations_with_their_content(tmp_path: Path) -> None:
    """A slow operation is logged with the texts and search words in it, so none is, however mongod is started."""
    [composed] = [line for line in COMPOSE.read_text().splitlines() if '"mongod"' in line]
    assert OPTION in composed.replace('"', "").replace(",", "")
    assert OPTION in " ".join(map(str, Mongo(tmp_path, port=1).command().line))
    assert OPTION in " ".join(MongoContainer(tmp_path, port=1).arguments())
