"""A panel of a dashboard, and what its expressions have in common."""

from __future__ import annotations

from typing import Final, NamedTuple

WRITE_API: Final = "cheeper_write_api"
READ_API: Final = "cheeper_read_api"
PROJECTOR: Final = "cheeper_projector"
IDENTITY: Final = "cheeper_identity"


class Panel(NamedTuple):
    """A graph: its title, what it answers, its unit in Grafana's words, and its expressions by their legends."""

    title: str
    description: str
    unit: str
    queries: dict[str, str]
    exemplars: bool = False
    """The histogram of the expressions has traces, which the graph shows as points."""


Rows = dict[str, list[Panel]]
"""The panels of a dashboard by the titles of their rows."""


def quantiles(histogram: str, by: str = "") -> dict[str, str]:
    """Return the expressions of the median and of p99 of a histogram, for each value of the label `by`."""
    grouping, legend = (f"le, {by}", f" {{{{{by}}}}}") if by else ("le", "")
    return {
        f"p{share}{legend}": f"histogram_quantile(0.{share}, sum by ({grouping}) (rate({histogram}_bucket[1m])))"
        for share in (50, 99)
    }
