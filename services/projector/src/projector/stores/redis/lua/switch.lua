-- Shows another generation to readers, if it lacks nothing of what they have seen in the live one.
--
-- KEYS[1] the registry of generations
-- ARGV    stem of the live one, stem of the target, numbers of both, the target's entry in the registry as it was read,
--         number of partitions, how many tasks and parked messages are looked at, 'restored' or ''
-- Replies {'switched'}
--         {'changed'}            the registry is not as it was read
--         {'behind', why}        nothing is done

local STEMS = {live = ARGV[1], target = ARGV[2]}
local live, target, entry, partitions, at_most = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local restored = ARGV[8] == 'restored'

local function of(side, name, id) return STEMS[side] .. name .. ':' .. id end

local function checkpoint(side, partition)
  local found = redis.call('HMGET', of(side, NAME.CHECKPOINT, partition), 'sequence', 'topic_id')
  return tonumber(found[1] or 0), found[2] or ''
end

-- By bytes: `<` on strings goes by the server's locale.
local function before(a, b)
  for place = 1, math.min(#a, #b) do
    local x, y = string.byte(a, place), string.byte(b, place)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- The author's tasks that wait, by sequence: how far each has come.
local function tasks_of(side, author)
  local found = {}
  for _, text in ipairs(redis.call('LRANGE', of(side, NAME.TASKS, author), 0, at_most)) do
    local task = cjson.decode(text)
    found[task.sequence] = task.after
  end
  return found
end

local looked_at = 0

local function too_many()
  looked_at = looked_at + 1
  return looked_at > at_most
end

-- A task that waits in the target and is further, or done, in the live one. The empty text is short timelines' turn,
-- which no reader sees.
local function lacks_tasks(partition, live_sequence)
  for _, author in ipairs(redis.call('LRANGE', of('target', NAME.TASK_AUTHORS, partition), 0, at_most)) do
    if author ~= '' then
      local of_live = tasks_of('live', author)
      for sequence, after in pairs(tasks_of('target', author)) do
        if too_many() then return 'has more than ' .. at_most .. ' fan-out tasks waiting' end
        local reached = of_live[sequence]
        if sequence <= live_sequence and (reached == nil or before(after, reached)) then
          return 'has a fan-out task waiting that the live one has done: sequence ' .. string.format('%d', sequence)
            .. ' of partition ' .. partition
        end
      end
    end
  end
end

local function place_of(text)
  local message = cjson.decode(text)
  local place = message.sequence
  if place == cjson.null then place = message.topic_id .. '@' .. string.format('%d', message.offset) end
  return message.partition .. ':' .. place
end

local function parked_of(side, message_key)
  local found = {}
  for _, text in ipairs(redis.call('LRANGE', of(side, NAME.PARKED, message_key), 0, at_most)) do
    found[place_of(text)] = true
  end
  return found
end

local function lacks_parked(partition)
  for _, message_key in ipairs(redis.call('SMEMBERS', of('target', NAME.PARKED_KEYS, partition))) do
    local of_live = parked_of('live', message_key)
    for place in pairs(parked_of('target', message_key)) do
      if too_many() then return 'has more than ' .. at_most .. ' messages parked' end
      if not of_live[place] then return 'has parked a message that the live one has not: ' .. place end
    end
  end
end

local function lacks()
  for partition = 0, partitions - 1 do
    local here, topic = checkpoint('target', partition)
    local there, live_topic = checkpoint('live', partition)
    local another = restored and topic ~= live_topic
    if not another and here < there then
      return 'is behind: at sequence ' .. here .. ' of partition ' .. partition .. ', where the live one is at ' .. there
    end
    local why = lacks_tasks(partition, another and 0 or there) or lacks_parked(partition)
    if why then return why end
  end
end

if redis.call('HGET', KEYS[1], 'live') ~= live or redis.call('HGET', KEYS[1], 'generation:' .. target) ~= entry then
  return {'changed'}
end
local why = lacks()
if why then return {'behind', why} end
redis.call('HSET', KEYS[1], 'live', target, 'previous', live)
return {'switched'}
