import logging

import pytest
import structlog
from structlog.testing import capture_logs

from cheeper_contracts.events.command_handled import CommandHandled
from projector.consumer.message_log import MessageLog
from projector.stores.base import Item


@pytest.fixture
def lines(story, helpers, author):
    """Log a change and an outcome as received and as applied, at a level; return what was written of each."""
    change = helpers.decode(story.followed(author(), author()).message)
    outcome = helpers.decode(story.add(CommandHandled(command_type="t", command_key=author())).message)

    def written(level):
        with capture_logs() as found:
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
            log = MessageLog("redis")
            log.received([change, outcome])
            log.applied([Item(message=change), Item(message=outcome)])
        return [(line["event"], line["log_level"], [one.message_id for one in line["each"]]) for line in found]

    return written, change.envelope.message_id, outcome.envelope.message_id


def test_a_change_has_one_line_at_the_default_level(lines):
    """At info a change is logged once, when it is applied, and an outcome not at all."""
    written, change, _outcome = lines
    assert written(logging.INFO) == [("applied", "info", [change])]


def test_every_step_is_logged_at_debug(lines):
    """At debug each message is logged when it is received and when it is applied."""
    written, change, outcome = lines
    assert written(logging.DEBUG) == [
        ("received", "debug", [change, outcome]),
        ("applied", "info", [change]),
        ("applied", "debug", [outcome]),
    ]
