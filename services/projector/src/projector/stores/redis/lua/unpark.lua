-- Removes one parked message from its key's queue, with its writes if it is replayed; or does nothing at all.
--
-- Needs  NAME of cheeper_contracts.views, key; partition, cap, inline_max, work_max, cause, left_out, wrong_type of
--        readers.lua; refusal, accept_rewrites, run_all of writes.lua
-- KEYS[1] the key's parked messages
-- KEYS[2] and the last of ARGV: guard.lua
-- ARGV    stem, then MessagePack of {partition, key, the message as it is parked, true if it must be the first,
--         sequence or 0, writes, cap, inline_max, work_max, number of partitions, its traceparent or nil}
-- Replies {'done', left out}   as for apply
--         {'changed'}          it is not parked any more, or is not the first where it must be
--         {'deep', number}     it is not among the first messages of its key
--         {'bad', reason}      its writes cannot be done

local message_key, text, must_be_first, sequence, writes, partitions
partition, message_key, text, must_be_first, sequence, writes, cap, inline_max, work_max, partitions, cause =
  unpack(cmsgpack.unpack(ARGV[2]))
local checkpoint = key(NAME.CHECKPOINT, partition)

local mistyped = wrong_type(KEYS[1], 'list') or wrong_type(checkpoint, 'hash')
for each = 0, partitions - 1 do
  mistyped = mistyped or wrong_type(key(NAME.PARKED_KEYS, each), 'set')
end
if mistyped then return redis.error_reply('WRONGTYPE ' .. mistyped) end

local DEEPEST = 1000  -- a message further down its key's queue is not searched for: a queue may have any length
local place = redis.call('LPOS', KEYS[1], text, 'MAXLEN', DEEPEST)
if not place and redis.call('LLEN', KEYS[1]) > DEEPEST then return {'deep', DEEPEST} end
if not place or (must_be_first and place > 0) then return {'changed'} end
local reason = refusal(writes, message_key)
if reason then return {'bad', reason} end

accept_rewrites()
run_all(writes, sequence, message_key)
redis.call('LREM', KEYS[1], 1, text)
if redis.call('EXISTS', KEYS[1]) == 0 then
  -- Messages without a key come from any partition, and are one queue.
  for each = 0, partitions - 1 do redis.call('SREM', key(NAME.PARKED_KEYS, each), message_key) end
end
-- The poison is being handled, so it does not count towards the limit any more.
if redis.call('EXISTS', checkpoint) == 1 then redis.call('HSET', checkpoint, 'poison', 0) end
return {'done', left_out}
