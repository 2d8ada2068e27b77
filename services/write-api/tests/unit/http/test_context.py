import pytest

from write_api.bus.ids import new_id
from write_api.http.context import ContextMiddleware, context_of

KEY, GATEWAYS = "a64a52cc-3ee9-4a15-918b-099e18b43119", "1fd7d739-2ad7-41a8-8c18-565603e3733f"
ONCE, NO_UUID = "must be given at most once", "must be a UUID, and not the nil UUID"


async def context_with(*headers):
    """Return the context that a request with these headers has."""
    found = []

    async def app(scope, _receive, _send):
        found.append(context_of(scope))

    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in headers]}
    await ContextMiddleware(app)(scope, None, None)
    return found[0]


@pytest.mark.parametrize("given", [KEY, KEY.upper()])
async def test_the_key_is_the_message_id(given):
    """A client that sends a key may repeat its request; the gateway's id is the message id of any other."""
    context = await context_with(("x-message-id", GATEWAYS), ("idempotency-key", given))
    assert (context.message_id, context.repeatable, context.wrong) == (KEY, True, ())
    context = await context_with(("x-message-id", GATEWAYS))
    assert (context.message_id, context.repeatable, context.wrong) == (GATEWAYS, False, ())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ((KEY, KEY), ONCE),
        ((KEY, GATEWAYS), ONCE),
        (("bob", KEY), ONCE),
        ((f"{KEY}, {KEY}",), NO_UUID),
        (("00000000-0000-0000-0000-000000000000",), NO_UUID),
        (("",), NO_UUID),
        ((KEY * 1_000,), NO_UUID),
    ],
)
async def test_other_keys_are_wrong(keys, message):
    """Two keys, the nil UUID and what is no UUID are wrong, and none of them becomes the message id."""
    context = await context_with(("x-message-id", GATEWAYS), *(("idempotency-key", key) for key in keys))
    assert (context.message_id, context.repeatable) == (GATEWAYS, False)
    assert [(wrong.field, wrong.message) for wrong in context.wrong] == [("Idempotency-Key", message)]


async def test_a_traceparent_is_of_its_form():
    """A trace is taken over if it has W3C's form."""
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    assert (await context_with(("traceparent", trace))).traceparent == trace
    for wrong in ("", trace + "0", trace.replace("a" * 32, "0" * 32), f"ff{trace[2:]}", new_id()):
        assert (await context_with(("traceparent", wrong))).traceparent is None
