-- The readers of an author's cheeps: what a cheep does to their timelines, now or by a task, and who is left out.

local partition, cap, inline_max
local types = {}     -- of the keys that this call has looked at
local heads = {}     -- of the timelines that this call has read, by reader; a table for one that cannot be read
local left_out = {}  -- readers whose timelines are of a wrong type, each after the author whose doing it was

local function wrong_type(key_name, wanted)
  local found = types[key_name]
  if not found then
    found = redis.call('TYPE', key_name).ok
    types[key_name] = found
  end
  if found ~= 'none' and found ~= wanted then return key_name .. ' is a ' .. found .. ', not a ' .. wanted end
end

local function leave_out(reader, author)
  left_out[#left_out + 1] = author
  left_out[#left_out + 1] = reader
end

-- Whether a reader's timeline can be written; the reader is left out if not. Its head is in `heads` then.
local function usable(reader, author)
  if heads[reader] == nil then
    local head = redis.pcall('LINDEX', key(NAME.TIMELINE, reader), 0)
    local floor = redis.pcall('STRLEN', key(NAME.TIMELINE_FLOOR, reader))
    if type(floor) == 'table' then head = floor end
    heads[reader] = head
  end
  if type(heads[reader]) ~= 'table' then return true end
  leave_out(reader, author)
  return false
end

-- A place at the end of the queue of short timelines, which takes turns with the partition's authors with tasks.
local function await_refill(reader)
  local queue = key(NAME.SHORT_TIMELINES, partition)
  local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', queue, 'NX', string.format('%d', tonumber(last or 0) + 1), reader)
  if not last then redis.call('RPUSH', key(NAME.TASK_AUTHORS, partition), '') end
end

-- What cheeps' entries, oldest first, can do on a timeline, by the kind of the fan-out. Only one is removed at a time.
local ON_TIMELINE = {}

function ON_TIMELINE.insert(reader, entries)
  heads[reader] = add_all(reader, heads[reader], entries, cap)
end

function ON_TIMELINE.remove(reader, entries)
  local entry = entries[1]
  local floor = redis.call('GET', key(NAME.TIMELINE_FLOOR, reader))
  if floor and not newer(entry, floor) then return end  -- not in the list, all of which would be looked through
  if redis.call('LREM', key(NAME.TIMELINE, reader), 1, entry) == 0 then return end
  heads[reader] = nil
  if is_short(reader, cap) then await_refill(reader) end
end

local function serve(author, readers, entries, kind)
  local change = ON_TIMELINE[kind]
  for _, reader in ipairs(readers) do
    if usable(reader, author) then change(reader, entries) end
  end
end

local function goes_inline(followers)
  return followers > 0 and followers <= inline_max
end

local function leave_task(author, entry_hex, kind, correlation_id, sequence)
  local task = {sequence = sequence, kind = kind, entry = entry_hex, after = '', correlation_id = correlation_id}
  if redis.call('RPUSH', key(NAME.TASKS, author), cjson.encode(task)) == 1 then
    redis.call('RPUSH', key(NAME.TASK_AUTHORS, partition), author)
  end
end
