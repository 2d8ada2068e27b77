-- Shows another generation to readers, if it lacks nothing that they have seen in the live one.
--
-- Needs  NAME, STREAM of cheeper_contracts.views
-- KEYS[1] the registry of generations
-- ARGV    stem of the live one, stem of the target, numbers of both, the target's entry in the registry as it was read,
--         number of partitions, the most tasks and parked messages that are compared, 'restored' or ''
-- Replies {'switched'}
--         {'changed'}            the registry is not as it was read
--         {'behind', reason}     nothing is done

local STEMS = {live = ARGV[1], target = ARGV[2]}
local live, target, entry, partitions, at_most = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local restored = ARGV[8] == 'restored'

local function of(side, name, id) return STEMS[side] .. name .. ':' .. id end

local function checkpoint(side, partition)
  local found = redis.call('HMGET', of(side, NAME.CHECKPOINT, partition), 'sequence', 'topic_id')
  return tonumber(found[1] or 0), found[2] or ''
end

-- Compares bytes: `<` on strings depends on the server's locale.
local function before(a, b)
  for place = 1, math.min(#a, #b) do
    local x, y = string.byte(a, place), string.byte(b, place)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- The number of elements read of each kind: of the lists of each side, and of the names of these lists.
local read = {live = 0, target = 0, names = 0}

-- Returns a list's first elements, as many as may still be read of the kind; `too_many` then reports that there are more.
local function first_of(list, kind)
  local found = redis.call('LRANGE', list, 0, math.max(at_most - read[kind], 0))
  read[kind] = read[kind] + #found
  return found
end

local function too_many() return math.max(read.live, read.target, read.names) > at_most end

-- Returns the last follower served of each task of the author that waits, by sequence.
local function tasks_of(side, author)
  local found = {}
  for _, text in ipairs(first_of(of(side, NAME.TASKS, author), side)) do
    local task = cjson.decode(text)
    found[task.sequence] = task.after
  end
  return found
end

-- Returns the reason if a task waits in the target that is further, or done, in the live one. The empty text is the turn
-- of short timelines, which no reader sees.
local function lacks_tasks(partition, live_sequence)
  for _, author in ipairs(first_of(of('target', NAME.TASK_AUTHORS, partition), 'names')) do
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

-- The place of a parked message as the projector writes it is read without the rest of the message, which is long.
local function place_of(text)
  local partition, sequence = string.match(text, '^{"partition":(%d+),"sequence":(%d+),')
  if partition then return partition .. ':' .. sequence end
  local message = cjson.decode(text)
  local place = message.sequence
  if place == cjson.null then place = message.topic_id .. '@' .. string.format('%d', message.offset) end
  return message.partition .. ':' .. place
end

local function parked_of(side, message_key)
  local found = {}
  for _, text in ipairs(first_of(of(side, NAME.PARKED, message_key), side)) do
    found[place_of(text)] = true
  end
  return found
end

local function lacks_parked(partition)
  local keys = of('target', NAME.PARKED_KEYS, partition)
  read.names = read.names + redis.call('SCARD', keys)
  if too_many() then return 'has more than ' .. at_most .. ' messages parked' end
  for _, message_key in ipairs(redis.call('SMEMBERS', keys)) do
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
    local reason = lacks_tasks(partition, another and 0 or there) or lacks_parked(partition)
    if reason then return reason end
  end
end

if redis.call('HGET', KEYS[1], 'live') ~= live or redis.call('HGET', KEYS[1], 'generation:' .. target) ~= entry then
  return {'changed'}
end
local reason = lacks()
if reason then return {'behind', reason} end
redis.call('HSET', KEYS[1], 'live', target, 'previous', live)
redis.call('PUBLISH', string.match(KEYS[1], '^(.*:)') .. STREAM.ALL, STREAM.REFRESH)
return {'switched'}
