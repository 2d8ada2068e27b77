-- Applies the first messages of a batch of one partition, up to a bound on the work, and moves the checkpoint behind
-- them in the same call. After an error nothing is applied.
--
-- Needs  NAME of cheeper_contracts.views, key; partition, cap, inline_max, work_max, cause, left_out, wrong_type of
--        readers.lua; work,
--        refusal, accept_rewrites, run_all of writes.lua
-- KEYS[1] the partition's checkpoint
-- KEYS[2] and the last of ARGV: guard.lua
-- ARGV    stem, then MessagePack of {partition, topic_id, messages, cap, inline_max, work_max}, where a message is
--         {sequence or 0, offset, key, writes} and, if it is traced, its traceparent
-- Replies {'applied', messages used, sequence before, sequence, topic_id, offset, poison in a row, authors with tasks,
--         left out}, where `left out` are readers with broken timelines, each after the author of the cheep or follow
--         {'gap', stored sequence}         a message is missing before one of these
--         {'bad', place, reason}           the message at that place (from 0) cannot be applied
--         {'parked', place, 1 or 0}        its key is parked (1) or not (0), unlike its writes assume

local call = cmsgpack.unpack(ARGV[2])
local topic_id, messages
partition, topic_id, messages, cap, inline_max, work_max = unpack(call)

local mistyped = wrong_type(KEYS[1], 'hash') or wrong_type(key(NAME.PARKED_KEYS, partition), 'set')
if mistyped then return redis.error_reply('WRONGTYPE ' .. mistyped) end

local stored = redis.call('HMGET', KEYS[1], 'sequence', 'topic_id', 'offset', 'poison')
local sequence, stored_topic = tonumber(stored[1] or 0), stored[2] or ''
local offset, poison = tonumber(stored[3] or -1), tonumber(stored[4] or 0)
local parked_keys = key(NAME.PARKED_KEYS, partition)
local some_parked = redis.call('EXISTS', parked_keys) == 1

-- A message without a sequence is known by its offset alone.
local function is_new(message, last)
  if message[1] > 0 then return message[1] > last end
  return stored_topic ~= topic_id or message[2] > offset
end

local function misplaced(message, parked_here)
  local first = message[4][1]
  local tag = first and first[1]
  if tag == 'poison' then return nil end
  local parked = parked_here[message[3]] or (some_parked and redis.call('SISMEMBER', parked_keys, message[3]) == 1)
  if parked and tag ~= 'behind' then return 1 end
  if not parked and tag == 'behind' then return 0 end
end

-- Everything is checked first, so that nothing can fail once something is written.
local fresh, used, last, parked_here = {}, 0, sequence, {}
for place, message in ipairs(messages) do
  if is_new(message, last) then
    if message[1] > last + 1 then return {'gap', sequence} end
    local other = misplaced(message, parked_here)
    if other then return {'parked', place - 1, other} end
    local before = work
    local reason = refusal(message[4], message[3])
    if reason then return {'bad', place - 1, reason} end
    -- A long call makes every reader wait; what is left comes in the next one.
    if work > work_max and before > 0 then break end
    accept_rewrites()
    fresh[#fresh + 1] = message
    if message[1] > 0 then last = message[1] end
    local first = message[4][1]
    if first and first[1] == 'poison' then parked_here[message[3]] = true end
  elseif message[1] == sequence and stored_topic ~= topic_id then
    stored_topic, offset = topic_id, message[2]  -- the log was sent again: the same message has a new offset
  end
  used = place
end

for _, message in ipairs(fresh) do
  cause = message[5]
  run_all(message[4], message[1], message[3])
  local first = message[4][1]
  if first and first[1] == 'poison' then
    poison = poison + 1
  elseif not (first and first[1] == 'behind') then
    poison = 0
  end
  stored_topic, offset = topic_id, message[2]
end
if stored_topic == topic_id then
  redis.call('HSET', KEYS[1], 'sequence', string.format('%d', last), 'topic_id', topic_id,
    'offset', string.format('%d', offset), 'poison', poison)
end
local waiting = redis.call('LLEN', key(NAME.TASK_AUTHORS, partition))
return {'applied', used, sequence, last, stored_topic, offset, poison, waiting, left_out}
