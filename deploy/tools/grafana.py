"""Write the dashboards of deploy/observability/dashboards as Grafana's JSON.

python deploy/tools/grafana.py            write
python deploy/tools/grafana.py --check    write nothing; name each file that differs, exit code 1
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.common import VizLegendOptions, VizTooltipOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from dashboards.log import KAFKA, STORES
from dashboards.overview import OVERVIEW
from dashboards.panel import Panel, Rows
from dashboards.paths import READ_PATH, WRITE_PATH
from dashboards.services import SERVICES

FOLDER: Final = Path(__file__).resolve().parents[1] / "observability" / "dashboards"
_SOURCE: Final = "prometheus"
_HEIGHT: Final = 8
_WIDTH: Final = 8  # of 24
_LETTERS: Final = "ABCDEFGH"

DASHBOARDS: Final[dict[str, tuple[str, Rows]]] = {
    "overview": ("Cheeper: overview", OVERVIEW),
    "write-path": ("Cheeper: write path", WRITE_PATH),
    "read-path": ("Cheeper: read path", READ_PATH),
    "projector": ("Cheeper: projector and stores", STORES),
    "kafka": ("Cheeper: Kafka and processes", KAFKA),
    **{f"service-{name}": (f"Cheeper: service {name}", rows) for name, rows in SERVICES.items()},
}


def text_of(name: str) -> str:
    """Return a dashboard as JSON."""
    title, rows = DASHBOARDS[name]
    board = (
        Dashboard(title)
        .uid(f"cheeper-{name}")
        .tags(["cheeper"])
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .with_variable(DatasourceVariable("source").label("Prometheus").type(_SOURCE))
    )
    for row, panels in rows.items():
        board.with_row(Row(row))
        for panel in panels:
            board.with_panel(_graph(panel))
    return JSONEncoder(sort_keys=True, indent=1).encode(board.build()) + "\n"


def _graph(panel: Panel) -> TimeSeries:
    source = DataSourceRef(type_val=_SOURCE, uid="${source}")
    graph = TimeSeries().title(panel.title).description(panel.description).unit(panel.unit).min(0)
    graph.datasource(source).height(_HEIGHT).span(_WIDTH)
    position = VizLegendOptions().show_legend(show_legend=True).display_mode(LegendDisplayMode.LIST)
    graph.legend(position.placement(LegendPlacement.BOTTOM)).tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    for letter, (legend, expression) in zip(_LETTERS, panel.queries.items(), strict=False):
        target = Dataquery().ref_id(letter).expr(expression).legend_format(legend).datasource(source)
        graph.with_target(target.exemplar(exemplar=True) if panel.exemplars else target)
    return graph


def main(arguments: list[str]) -> int:
    """Write or check all files. Return the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    differing = []
    for name in DASHBOARDS:
        path, text = FOLDER / f"{name}.json", text_of(name)
        if not path.exists() or path.read_text() != text:
            differing.append(path)
            if not arguments:
                path.write_text(text)
    if not arguments:
        return 0
    for path in differing:
        print(f"{path}: not up to date, run deploy/tools/dashboards.py", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
