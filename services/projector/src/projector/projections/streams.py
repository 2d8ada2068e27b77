"""Redis: reports to streams that a cheep's record or an author's notifications have changed. What changes a timeline is
reported with it.
"""

from __future__ import annotations

from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.author_muted import AuthorMuted
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.author_unblocked import AuthorUnblocked
from cheeper_contracts.events.author_unmuted import AuthorUnmuted
from cheeper_contracts.events.cheep_deleted import CheepDeleted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.events.notifications_read import NotificationsRead
from cheeper_contracts.views import pack_entry
from projector.projections.meta import Meta
from projector.projections.writes import ReportNotifications, ReportRecord


def cheep_changed(event: CheepUpdated | CheepDeleted, _meta: Meta) -> tuple[ReportRecord]:
    """Report the cheep's record, which has been written or deleted before."""
    return (ReportRecord(pack_entry(event.cheep_date, event.cheep_id).hex()),)


def notifications_changed(
    event: AuthorNotified | NotificationsRead | AuthorMuted | AuthorUnmuted, _meta: Meta
) -> tuple[ReportNotifications]:
    """Report the notifications of the author who was notified, has read them, or mutes somebody."""
    return (ReportNotifications(event.author_id),)


def notifications_of_both_changed(
    event: AuthorBlocked | AuthorUnblocked, _meta: Meta
) -> tuple[ReportNotifications, ReportNotifications]:
    """Report the notifications of both: a block hides from each what the other one has caused."""
    return ReportNotifications(event.author_id), ReportNotifications(event.blocked_id)
