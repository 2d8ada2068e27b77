import pytest
import redis
from read_api_layout import Hot, new_id

from read_api.query_bus.query import StoreUnavailableError
from read_api.stores.redis import reader as redis_store

pytestmark = pytest.mark.store


async def test_an_author_exists_once_the_username_is_set(hot, redis_views):
    """Followers who came before the sign-up make no author."""
    author = new_id()
    hot.author(author, followers=3)
    assert (await redis_views.followers(author, after=None)).data is None
    hot.author(author, username="bob")
    found = await redis_views.followers(author, after=None)
    assert (found.data.author_username, found.data.number_of_followers, found.settled) == ("bob", 3, True)


async def test_a_redis_without_memory_for_writes_serves_reads(own_redis):
    """Also over a connection that is opened meanwhile, and with scripts that the server has lost."""
    author = new_id()
    with redis.Redis.from_url(own_redis.url) as admin:
        Hot(admin, "").author(author, username="bob", followers=3)
        admin.config_set("maxmemory", 1)
        admin.script_flush()
        client = redis_store.connect(own_redis.url)
        full = redis_store.RedisViews(client, "")
        try:
            assert (await full.followers(author, after=None)).data.number_of_followers == 3
            assert (await full.part(author, before=None, skip=0, limit=10, after=None)).cheeps == []
        finally:
            full.close()
            await client.aclose()
            admin.config_set("maxmemory", 0)


async def test_counters_wait_for_the_record_alone(hot, redis_views):
    """A fan-out task changes no counter, so a counter does not wait for it."""
    author, message = new_id(), new_id()
    assert not (await redis_views.followers(author, after=message)).settled
    assert await redis_views.settled_in_counters([message]) == set()
    hot.task(author, 5)
    hot.command(message, key=author, sequence=5)
    assert (await redis_views.followers(author, after=message)).settled
    assert await redis_views.settled_in_counters([new_id(), message]) == {message}


@pytest.mark.parametrize(
    ("tasks", "status", "settled"),
    [
        ([], "handled", True),
        ([5], "handled", False),
        ([4, 6], "handled", False),
        ([6, 7], "handled", True),
        ([4], "rejected", True),
    ],
)
async def test_timelines_wait_for_tasks_that_are_not_newer(hot, redis_views, tasks, status, settled):
    """A fan-out task of the command's key holds the wait up until it is done, unless it is newer."""
    author, message = new_id(), new_id()
    for sequence in tasks:
        hot.task(author, sequence)
    hot.task(new_id(), 1)
    hot.command(message, key=author, sequence=5, status=status)
    part = await redis_views.part(new_id(), before=None, skip=0, limit=11, after=message)
    assert part.settled == settled
    assert (message in await redis_views.settled_in_timelines([message])) == settled
    if tasks and not settled:
        hot.task_done(author)
        assert message in await redis_views.settled_in_timelines([message])


async def test_scripts_are_loaded_again_into_a_server_that_lost_them(hot, redis_views):
    """After a wipe or a failover nothing has to be loaded by hand."""
    hot.author(author := new_id(), username="bob")
    await redis_views.followers(author, after=None)
    hot.client.script_flush()
    assert (await redis_views.followers(author, after=None)).data.author_username == "bob"


async def test_an_unavailable_server_is_reported_and_found_again(own_redis):
    """While Redis is unavailable every look-up fails at once, and works again after its return."""
    client = redis_store.connect(own_redis.url)
    views = redis_store.RedisViews(client, "")
    await views.ping()
    await views.followers(new_id(), after=None)
    own_redis.stop()
    for look in (views.ping(), views.followers(new_id(), after=None), views.settled_in_timelines([new_id()])):
        with pytest.raises(StoreUnavailableError):
            await look
    own_redis.start()
    assert not (await views.followers(new_id(), after=new_id())).settled
    views.close()
