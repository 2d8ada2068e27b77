from read_api_layout import Documents, Hot, command_record, new_id


async def test_a_thousand_commands_in_one_poll(redis_views, reader, hot: Hot, documents: Documents):
    """Each store returns the settled ones of a thousand commands."""
    ids, author = [new_id() for _ in range(1_000)], new_id()
    for message_id in ids[::2]:
        hot.command(message_id, key=author, sequence=1)
        documents.command(command_record(message_id, key=author, sequence=1))
    for settled in (redis_views.settled_in_counters, redis_views.settled_in_timelines, reader.settled):
        assert await settled(ids) == set(ids[::2])
