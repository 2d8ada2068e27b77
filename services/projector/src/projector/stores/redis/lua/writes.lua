-- The writes of writes.py: what each must look like, which keys of which type it needs, and what it does.
-- `check` looks and never writes; it returns why the write cannot be done, or nil. `run` cannot fail after a check.

local partition, cap, inline_max
local heads = {}     -- of the timelines that this call has read, by reader
local types = {}     -- of the keys that this call has looked at
local work = 0       -- entries that the checked writes will insert, about

local function wrong_type(key_name, wanted)
  local found = types[key_name]
  if not found then
    found = redis.call('TYPE', key_name).ok
    types[key_name] = found
  end
  if found ~= 'none' and found ~= wanted then return key_name .. ' is a ' .. found .. ', not a ' .. wanted end
end

local function not_texts(write, count, others)
  local wanted = count + (others or 0)
  if #write ~= wanted + 1 then return write[1] .. ' has ' .. (#write - 1) .. ' arguments, not ' .. wanted end
  for place = 2, count + 1 do
    if type(write[place]) ~= 'string' then return write[1] .. ': argument ' .. (place - 1) .. ' is no text' end
  end
end

-- Reads the head of a reader's timeline into `heads`; returns why it cannot be.
local function cannot_read_head(reader)
  if heads[reader] ~= nil then return nil end
  local head = redis.pcall('LINDEX', key(NAME.TIMELINE, reader), 0)
  if type(head) == 'table' then return key(NAME.TIMELINE, reader) .. ': ' .. head.err end
  heads[reader] = head
  return wrong_type(key(NAME.TIMELINE_FLOOR, reader), 'string')
end

local function deliver(reader, entry)
  local head = heads[reader]
  if head == nil then head = redis.call('LINDEX', key(NAME.TIMELINE, reader), 0) end
  heads[reader] = add_to_timeline(reader, head, entry, cap)
end

local function goes_inline(followers)
  return followers > 0 and followers <= inline_max
end

local function leave_task(author, entry_hex, correlation_id, sequence)
  local task = cjson.encode({sequence = sequence, entry = entry_hex, after = '', correlation_id = correlation_id})
  if redis.call('RPUSH', key(NAME.TASKS, author), task) == 1 then
    redis.call('RPUSH', key(NAME.TASK_AUTHORS, partition), author)
  end
end

local WRITES = {}

WRITES['field'] = {
  check = function(write)
    return not_texts(write, 3) or wrong_type(key(NAME.AUTHOR_COUNTERS, write[2]), 'hash')
  end,
  run = function(write)
    redis.call('HSET', key(NAME.AUTHOR_COUNTERS, write[2]), write[3], write[4])
  end,
}

WRITES['member'] = {
  check = function(write)
    return not_texts(write, 4)
      or wrong_type(key(write[2], write[3]), 'zset')
      or wrong_type(key(NAME.AUTHOR_COUNTERS, write[3]), 'hash')
  end,
  run = function(write)
    if redis.call('ZADD', key(write[2], write[3]), 0, write[4]) == 1 then
      redis.call('HINCRBY', key(NAME.AUTHOR_COUNTERS, write[3]), write[5], 1)
    end
  end,
}

WRITES['text'] = {
  check = function(write)
    if type(write[5]) ~= 'number' then return 'text: no time to expire at' end
    return not_texts(write, 3, 1)
  end,
  run = function(write)
    if write[5] > 0 then
      redis.call('SET', key(write[2], write[3]), write[4], 'EXAT', string.format('%d', write[5]))
    else
      redis.call('SET', key(write[2], write[3]), write[4])
    end
  end,
}

WRITES['own'] = {
  check = function(write)
    if not is_hex_entry(write[3]) then return 'own: no entry in hex' end
    return not_texts(write, 3)
      or wrong_type(key(NAME.AUTHOR_CHEEPS, write[2]), 'list')
      or wrong_type(key(NAME.AUTHOR_COUNTERS, write[2]), 'hash')
  end,
  run = function(write)
    local list = key(NAME.AUTHOR_CHEEPS, write[2])
    if insert(list, redis.call('LINDEX', list, 0), from_hex(write[3])) then
      redis.call('HINCRBY', key(NAME.AUTHOR_COUNTERS, write[2]), write[4], 1)
    end
  end,
}

WRITES['fan-out'] = {
  check = function(write)
    if not is_hex_entry(write[3]) then return 'fan-out: no entry in hex' end
    local followers = key(NAME.FOLLOWERS, write[2])
    local why = not_texts(write, 3)
      or wrong_type(followers, 'zset')
      or wrong_type(key(NAME.TASKS, write[2]), 'list')
      or wrong_type(key(NAME.TASK_AUTHORS, partition), 'list')
    if why then return why end
    local count = redis.call('ZCARD', followers)
    if not goes_inline(count) then return nil end
    work = work + count
    for _, reader in ipairs(redis.call('ZRANGE', followers, 0, -1)) do
      why = cannot_read_head(reader)
      if why then return why end
    end
  end,
  run = function(write, sequence)
    local followers = key(NAME.FOLLOWERS, write[2])
    local count = redis.call('ZCARD', followers)
    if goes_inline(count) then
      local entry = from_hex(write[3])
      for _, reader in ipairs(redis.call('ZRANGE', followers, 0, -1)) do deliver(reader, entry) end
    elseif count > 0 then
      leave_task(write[2], write[3], write[4], sequence)
    end
  end,
}

WRITES['pull-in'] = {
  check = function(write)
    local why = not_texts(write, 2)
      or wrong_type(key(NAME.TIMELINE, write[2]), 'list')
      or wrong_type(key(NAME.TIMELINE_FLOOR, write[2]), 'string')
      or wrong_type(key(NAME.AUTHOR_CHEEPS, write[3]), 'list')
    if why then return why end
    work = work + math.min(redis.call('LLEN', key(NAME.AUTHOR_CHEEPS, write[3])) * 3, cap)
  end,
  run = function(write)
    heads[write[2]] = pull_in(write[2], write[3], cap)
  end,
}

-- A message set aside: it could not be applied, or waits behind one of its key that could not.
local function set_aside(write, _, message_key)
  redis.call('RPUSH', key(NAME.PARKED, message_key), write[2])
  redis.call('SADD', key(NAME.PARKED_KEYS, partition), message_key)
end

local function cannot_set_aside(write, message_key)
  return not_texts(write, 1)
    or wrong_type(key(NAME.PARKED, message_key), 'list')
    or wrong_type(key(NAME.PARKED_KEYS, partition), 'set')
end

WRITES['poison'] = {check = cannot_set_aside, run = set_aside}
WRITES['behind'] = {check = cannot_set_aside, run = set_aside}
