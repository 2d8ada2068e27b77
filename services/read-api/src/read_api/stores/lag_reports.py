"""The lag reports of the projector, which each store holds for its own partitions."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from cheeper_contracts.views.lag import Lag, LagReport


def lag_by_partition(reports: Mapping[int, Any], now: float) -> dict[int, Lag]:
    """Return the lag by partition, from reports as JSON or as documents, at a time of their store's clock. Leave out a
    report that cannot be decoded.
    """
    lags = {}
    for partition, report in reports.items():
        with suppress(msgspec.MsgspecError):
            decoded = (
                msgspec.convert(report, LagReport)
                if isinstance(report, dict)
                else msgspec.json.decode(report, type=LagReport)
            )
            lags[partition] = decoded.at(now)
    return lags
