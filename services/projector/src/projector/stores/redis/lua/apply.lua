-- Applies the first messages of batches, each of a partition of its own, up to a bound on the work, and moves the
-- checkpoint of each partition behind its own messages in the same call. Of a batch that cannot be applied nothing is.
--
-- Needs  NAME of cheeper_contracts.views, key; partition, cap, inline_max, work_max, cause, left_out, wrong_type of
--        readers.lua; work,
--        refusal, accept_rewrites, forget_rewrites, run_all of writes.lua
-- KEYS[1] the checkpoint of the first partition; the others have the same tag
-- KEYS[2] and the last of ARGV: guard.lua
-- ARGV    stem, then MessagePack of {batches, cap, inline_max, work_max}, where a batch is {partition, topic_id, messages}
--         and a message is {sequence or 0, offset, key, writes} and, if it is traced, its traceparent
-- Replies an outcome for each of the first batches:
--         {'applied', messages used, sequence before, sequence, topic_id, offset, poison in a row, authors with tasks,
--         left out}, where `left out` are readers with broken timelines, each after the author of the cheep or follow
--         {'gap', stored sequence}         a message is missing before one of these
--         {'bad', place, reason}           the message at that place (from 0), or nil, cannot be applied
--         {'parked', place, 1 or 0}        its key is parked (1) or not (0), unlike its writes assume

local batches
batches, cap, inline_max, work_max = unpack(cmsgpack.unpack(ARGV[2]))

-- Applies these to `partition`. Returns nil if the call has done its work before.
local function apply(topic_id, messages)
  local checkpoint, parked_keys = key(NAME.CHECKPOINT, partition), key(NAME.PARKED_KEYS, partition)
  local mistyped = wrong_type(checkpoint, 'hash') or wrong_type(parked_keys, 'set')
  if mistyped then return {'bad', false, 'WRONGTYPE ' .. mistyped} end

  local stored = redis.call('HMGET', checkpoint, 'sequence', 'topic_id', 'offset', 'poison')
  local sequence, stored_topic = tonumber(stored[1] or 0), stored[2] or ''
  local offset, poison = tonumber(stored[3] or -1), tonumber(stored[4] or 0)
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
  if used == 0 then return nil end

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
    redis.call('HSET', checkpoint, 'sequence', string.format('%d', last), 'topic_id', topic_id,
      'offset', string.format('%d', offset), 'poison', poison)
  end
  local waiting = redis.call('LLEN', key(NAME.TASK_AUTHORS, partition))
  return {'applied', used, sequence, last, stored_topic, offset, poison, waiting, left_out}
end

local replies = {}
for place, batch in ipairs(batches) do
  partition, left_out = batch[1], {}
  forget_rewrites()
  replies[place] = apply(batch[2], batch[3])
  if not replies[place] or replies[place][1] == 'parked' then break end
end
return replies
