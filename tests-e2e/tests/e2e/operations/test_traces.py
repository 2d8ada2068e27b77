"""Traces: one shows what a request led to, from the gateway to the views, whichever processes it passed.

Each is read from a receiver of our own, and from a real Jaeger behind it, where there is one.
"""

import asyncio
import json
import re
import sys

import msgspec
import pytest
import redis

from cheeper_contracts import views
from cheeper_contracts.http import routes
from cheeper_contracts.kafka.codec import COMMAND_TYPES
from cheeper_contracts.kafka.topics import EVENTS
from cheeper_e2e.authors import new_id
from cheeper_e2e.http.client import Client
from cheeper_e2e.stack.traces.collector import collector
from cheeper_e2e.stack.traces.jaeger import HOW_TO_GET_IT, Jaeger
from cheeper_local.running import RunningStack
from cheeper_local.servers import kafka_protocol
from cheeper_local.waiting import eventually
from cheeper_runtime.traces.conventions import ATTRIBUTES

pytestmark = [pytest.mark.local, pytest.mark.extended, pytest.mark.takes(seconds=8)]

SETTINGS = {
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "FANOUT_INLINE_MAX": "0",
    "COMMAND_TRANSPORTS": "PostCheep=async,AnswerCheep=sync,Follow=async,SignUp=sync",
}
TEXT = "the words of an author"
HTTP, WORKER, RELAY, MANAGER = (f"write-api-{role}" for role in ("http", "worker", "relay", "process-manager"))
PROJECTOR = "projector-run"
GATEWAY = ("gateway", "gateway")
HANDLINGS = {f"process {command}" for command in COMMAND_TYPES}
BATCHES = ("transaction", "send cheeper.events (batch)")


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory):
    """A Jaeger that keeps every trace, or None if this machine has none."""
    if not Jaeger.is_available():
        yield None
        return
    server = Jaeger(tmp_path_factory.mktemp("jaeger"), {"DECISION_WAIT": "1s", "TRACES_KEPT_PERCENT": "100"})
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def traces(jaeger):
    """The receivers of the stack's traces: our own, and Jaeger behind it, if there is one."""
    with collector(jaeger and jaeger.otlp_url) as running:
        yield [running, jaeger] if jaeger else [running]


@pytest.fixture(scope="module")
def stack(traces):
    """A stack that exports its traces, and in which every fan-out is a task."""
    with RunningStack.temporary(environment={**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": traces[0].url}) as stack:
        yield stack


@pytest.fixture
async def client(stack):
    """A client that repeats what is unavailable."""
    async with Client(stack.gateway, patience=60) as one:
        yield one


@pytest.fixture
async def authors(client):
    """Two authors, of whom the second follows the first, all of it visible."""
    first, second = new_id(), new_id()
    for author in (first, second):
        await client.sign_up(author, f"u{author[-12:]}", f"{author[-12:]}@example.com")
    followed = await client.follow(second, first)
    await visible(client.followers_counter, first, followed)
    return first, second


async def visible(query, subject, command):
    """Wait until a query shows the effects of a command."""

    async def shown():
        reply = await query(subject, after=command.message_id, timeout=10)
        return reply.status == 200 and "stale" not in reply.meta

    await eventually(shown, what=f"the effects of {command.message_id}", timeout=60)


def traces_of(everything, command):
    """Return the spans of each trace that a message is in. A client that repeats a request begins another."""
    found = {one.trace_id for one in everything if one.attributes.get("messaging.message.id") == command.message_id}
    return [[one for one in everything if one.trace_id == trace_id] for trace_id in found]


def edges(spans):
    """Return the service and name of each span, with those of its parent, None where that is not there."""
    named = {span.span_id: (span.service, span.name) for span in spans}
    return {((span.service, span.name), named.get(span.parent_id)) for span in spans}


def unlinked(everything, spans):
    """Return what is missing of the batches, in whichever traces, that link to the handling of each command."""
    links = {(span.name, link) for span in everything for link in span.links}
    processes = [span for span in spans if span.name in HANDLINGS]
    return {(batch, one.name) for one in processes for batch in BATCHES if (batch, one.span_id) not in links}


def missing(everything, spans, wanted):
    """Return what a trace lacks to have all that is wanted and to be one tree, whose root is the gateway's span.

    A span is exported when it ends, so those below it are there before it, and each process exports at its own time.
    """
    orphans = {edge for edge in edges(spans) if edge[1] is None} ^ {(GATEWAY, None)}
    return (wanted - edges(spans)) | orphans | unlinked(everything, spans)


async def complete(traces, command, wanted):
    """Wait until everything that receives traces has a complete one of a command, and return its spans."""
    for store in traces:
        lacks = spans = None

        def is_complete(store=store):
            nonlocal lacks, spans
            everything = store.spans()
            found = [(spans, missing(everything, spans, wanted)) for spans in traces_of(everything, command)]
            lacks = [each for _, each in found]
            spans = next((spans for spans, lacking in found if not lacking), None)
            return spans

        try:
            await eventually(is_complete, timeout=60)
        except TimeoutError:
            name = type(store).__name__
            raise AssertionError(f"each trace of {command.message_id} in {name} lacks: {lacks}") from None
    return spans


def handled(service, command, cause):
    """The spans of a command and of its handler."""
    process = (service, f"process {command}")
    return {(process, cause), ((service, f"handle {command}"), process)}


def projected(event, cause, *stores):
    """The spans of an event: sent by the relay, and projected to stores."""
    projections = {((PROJECTOR, f"project {event} {store}"), cause) for store in stores}
    return {((RELAY, "send cheeper.events"), cause)} | projections


def requested(route):
    """The spans of a request."""
    return {(GATEWAY, None), ((HTTP, route), GATEWAY)}


def asynchronous(route, command):
    """The spans of a command from its request to its transaction in the worker."""
    send = (HTTP, "send cheeper.commands")
    return requested(route) | {(send, (HTTP, route))} | handled(WORKER, command, send)


async def test_a_posted_cheep_is_one_trace_from_the_gateway_to_the_views(client, authors, traces):
    """An asynchronous command: gateway, request, sending, handler, transaction, relay, both stores, and the slice."""
    command, post = "cheeper.post-cheep.v1", await client.post_cheep(authors[0], TEXT)
    cause = (WORKER, f"process {command}")
    wanted = asynchronous("POST /cheep", command) | projected("cheeper.cheep-posted.v1", cause, "redis", "mongo")
    spans = await complete(traces, post, wanted | {((PROJECTOR, "slice"), cause)})
    assert len({span.trace_id for span in spans}) == 1


async def test_jaeger_has_every_span_as_it_was_sent(client, authors, traces, jaeger):
    """Of a trace that is complete, Jaeger has the same spans with the same parents, links, times and attributes."""
    if jaeger is None:
        pytest.skip(HOW_TO_GET_IT)
    command, post = "cheeper.post-cheep.v1", await client.post_cheep(authors[0], TEXT)
    stores = projected("cheeper.cheep-posted.v1", (WORKER, f"process {command}"), "redis", "mongo")
    trace_id = (await complete(traces, post, asynchronous("POST /cheep", command) | stores))[0].trace_id

    def spans_of(store):
        spans = [msgspec.structs.replace(span, text="") for span in store.spans() if span.trace_id == trace_id]
        return sorted(spans, key=lambda span: span.span_id)

    await eventually(lambda: spans_of(jaeger) == spans_of(traces[0]), what="the same spans in Jaeger")


async def test_a_synchronous_command_is_one_trace_with_its_request(client, authors, traces):
    """A synchronous command is handled within its request, and what follows from it is below it."""
    parent = new_id()
    await visible(client.cheep, parent, await client.post_cheep(authors[0], TEXT, cheep_id=parent))
    command, answer = "cheeper.answer-cheep.v1", await client.answer_cheep(parent, authors[1], TEXT)
    route, cause = f"POST {routes.ANSWER.path}", (HTTP, f"process {command}")
    wanted = requested(route) | handled(HTTP, command, (HTTP, route))
    await complete(traces, answer, wanted | projected("cheeper.cheep-answered.v1", cause, "redis", "mongo"))


async def test_what_a_process_manager_made_of_a_follow_is_in_its_trace(client, traces):
    """A follow leads to a notification: event, process manager, command, its event, and its view are one trace."""
    first, second = new_id(), new_id()
    for author in (first, second):
        await client.sign_up(author, f"u{author[-12:]}", f"{author[-12:]}@example.com")
    follow = await client.follow(second, first)
    command, notify = "cheeper.follow.v1", "cheeper.notify-author-about-new-follower.v1"
    cause, event = (WORKER, f"process {command}"), (MANAGER, "process cheeper.author-followed.v1")
    send = (MANAGER, "send cheeper.commands")
    wanted = asynchronous("POST /follow", command) | projected("cheeper.author-followed.v1", cause, "redis", "mongo")
    wanted |= {(event, cause), (send, event)} | handled(WORKER, notify, send)
    wanted |= {((PROJECTOR, "project cheeper.author-notified.v1 mongo"), (WORKER, f"process {notify}"))}
    await complete(traces, follow, wanted)


async def test_a_trace_goes_on_through_a_killed_worker(client, authors, stack, traces):
    """A command that waits while its worker is killed is handled by the next one, in the same trace."""
    stack.kill("worker")
    command, post = "cheeper.post-cheep.v1", await client.post_cheep(authors[0], TEXT)
    cause = (WORKER, f"process {command}")
    wanted = asynchronous("POST /cheep", command) | projected("cheeper.cheep-posted.v1", cause, "redis", "mongo")
    await complete(traces, post, wanted)


async def test_what_the_relay_sends_again_is_in_the_trace_of_its_command(client, authors, stack, traces):
    """Once Kafka has lost its events, the relay sends all again: a second span of the sending, below the same cause."""
    command, post = "cheeper.post-cheep.v1", await client.post_cheep(authors[0], TEXT)
    cause = (WORKER, f"process {command}")
    wanted = asynchronous("POST /cheep", command) | projected("cheeper.cheep-posted.v1", cause, "redis", "mongo")
    (process,) = (span for span in await complete(traces, post, wanted) if (span.service, span.name) == cause)
    assert kafka_protocol.delete_topics(stack.environment["KAFKA_BOOTSTRAP_SERVERS"], EVENTS.name) == [EVENTS.name]

    def sendings(store):
        spans = [span for span in store.spans() if span.trace_id == process.trace_id]
        return [span for span in spans if span.name == "send cheeper.events"]

    for store in traces:
        await eventually(lambda store=store: len(sendings(store)) == 2, what="a second sending")
        assert {span.parent_id for span in sendings(store)} == {process.span_id}
    await visible(client.followers_counter, authors[1], await client.follow(authors[0], authors[1]))


async def test_a_parked_event_that_is_replayed_is_in_its_trace(client, authors, stack, traces):
    """An event that a store could not apply has a span that failed, and one of its replay."""
    author, store = authors[0], redis.Redis.from_url(stack.environment["REDIS_URL"])
    key = views.AUTHOR_CHEEPS.key(stack.environment["REDIS_PREFIX"], author)
    store.set(key, "not a list")
    post = await client.post_cheep(author, TEXT)
    project, cause = "project cheeper.cheep-posted.v1 redis", (WORKER, "process cheeper.post-cheep.v1")
    spans = await complete(traces, post, {((PROJECTOR, project), cause)})
    (parked,) = (span for span in spans if (span.service, span.name) == (PROJECTOR, project))
    assert parked.attributes["error.type"] == "parked"
    store.delete(key)
    store.close()
    replay = [sys.executable, "-m", "projector", "dead-letters", "replay", "--store", "redis", author]
    variables = {**stack.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": traces[0].url}
    done = await asyncio.create_subprocess_exec(*replay, env=variables, stdout=asyncio.subprocess.PIPE)
    output, _ = await done.communicate()
    assert b"is applied" in output
    await complete(traces, post, {((PROJECTOR, project), cause), (("projector-dead-letters", project), cause)})


async def test_a_query_with_its_wait_is_one_trace(client, authors, traces):
    """A query that waits for a command shows the look-up, the wait and the look-up after it."""
    post = await client.post_cheep(authors[0], TEXT)
    await client.timeline(authors[1], after=post.message_id, timeout=10)
    route = ("read-api", "GET /author/{author_id}/timeline")
    wanted = {(GATEWAY, None), (route, GATEWAY), (("read-api", "query Timeline"), route), (("read-api", "wait"), route)}
    await complete(traces, post, wanted)


async def test_spans_hold_nothing_that_an_author_wrote(client, authors, stack, traces):
    """Of all spans of this module, those of our services have only attributes of the list, and none has an author's
    text, an address or a token. Each line of a command in the log has the ids of its trace.
    """
    command, post = "cheeper.post-cheep.v1", await client.post_cheep(authors[0], TEXT)
    stores = projected("cheeper.cheep-posted.v1", (WORKER, f"process {command}"), "redis", "mongo")
    trace_id = (await complete(traces, post, asynchronous("POST /cheep", command) | stores))[0].trace_id
    for span in (span for store in traces for span in store.spans()):
        assert span.service == "gateway" or set(span.attributes) <= ATTRIBUTES, span
        assert TEXT not in span.text
        assert not re.search(r"@example|Bearer|Authorization", span.text), span.text

    def logged(name):
        lines = (stack.logs / f"{name}.log").read_text().splitlines()
        return [json.loads(line)["span_id"] for line in lines if f'"trace_id":"{trace_id}"' in line.replace(" ", "")]

    for name in ("worker", "relay", "projector"):
        await eventually(lambda name=name: any(len(each) == 16 for each in logged(name)), what=f"a line of {name}")
