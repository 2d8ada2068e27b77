-- The readers of an author's cheeps: changes of their timelines, now or by a task, and the readers left out.
--
-- Needs  newer and NAME of cheeper_contracts.views, key; add_all, is_short of timelines.lua; report_cheeps of streams.lua
-- Gives  partition, cap, inline_max, work_max, which the main file assigns from its arguments before anything here is
--        called; cause, which it assigns for each message; heads, left_out, ON_TIMELINE; wrong_type, leave_out, usable, sees, members, await_refill, serve, goes_inline, leave_task

local partition, cap, inline_max, work_max
local cause          -- the traceparent of the message whose writes run, nil if it is not traced
local spent = 0      -- the work done on timelines so far; 1 is an entry put in front of a list, about 5 microseconds
local types = {}     -- the types of keys, read once in a call
local heads = {}     -- the first entries of timelines, by reader, read once in a call; a table for an unreadable one
local left_out = {}  -- readers whose timelines are of a wrong type, each after the author of the cheep or follow

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

-- True if a reader's timeline can be written, with its head in `heads`; otherwise the reader is left out.
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

-- True if a reader's timeline shows an author's cheeps.
local function sees(reader, author)
  return redis.call('ZSCORE', key(NAME.FOLLOWING, reader), author)
    and not redis.call('ZSCORE', key(NAME.MUTED, reader), author)
end

-- Returns those of some ids, 1,000 at most, that are in a set, each as a key. Few sets of mutes exist at all.
local function members(set, ids)
  local found = {}
  if #ids == 0 or redis.call('EXISTS', set) == 0 then return found end
  local scores = redis.call('ZMSCORE', set, unpack(ids))
  for place, id in ipairs(ids) do found[id] = scores[place] and true or nil end
  return found
end

-- Appends a reader to the queue of short timelines, which takes turns with the partition's authors with tasks.
local function await_refill(reader)
  local queue = key(NAME.SHORT_TIMELINES, partition)
  local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', queue, 'NX', string.format('%d', tonumber(last or 0) + 1), reader)
  if not last then redis.call('RPUSH', key(NAME.TASK_AUTHORS, partition), '') end
end

-- The changes that a fan-out makes on a timeline with entries, oldest first, by its kind. A removal has one entry.
local ON_TIMELINE = {}
local SEARCH = 12  -- the work of an entry that belongs further down a list
local REMOVAL = 3

function ON_TIMELINE.insert(reader, entries)
  local head = heads[reader]
  spent = spent + #entries * (head and newer(head, entries[1]) and SEARCH or 1)
  heads[reader] = add_all(reader, heads[reader], entries, cap)
end

function ON_TIMELINE.remove(reader, entries)
  local entry = entries[1]
  spent = spent + REMOVAL
  local floor = redis.call('GET', key(NAME.TIMELINE_FLOOR, reader))
  if floor and not newer(entry, floor) then return end  -- not in the list, which would be searched to its end
  if redis.call('LREM', key(NAME.TIMELINE, reader), 1, entry) == 0 then return end
  heads[reader] = nil
  if is_short(reader, cap) then await_refill(reader) end
end

-- Changes the timelines of these readers, or of the first ones if the call has done its work before; returns the number
-- of readers served, one at least. A reader who mutes the author is skipped.
local function serve(author, readers, entries, kind)
  local change, reached, muting = ON_TIMELINE[kind], #readers, members(key(NAME.MUTERS, author), readers)
  for place, reader in ipairs(readers) do
    if not muting[reader] and usable(reader, author) then change(reader, entries) end
    if spent >= work_max then
      reached = place
      break
    end
  end
  if kind == 'insert' then report_cheeps(readers, reached, entries, muting) end
  return reached
end

local function goes_inline(followers)
  return followers > 0 and followers <= inline_max
end

-- Leaves a task for the author's followers after the one who was served last, '' if none was. It keeps the cause.
local function leave_task(author, entry_hex, kind, correlation_id, sequence, after)
  local task = {sequence = sequence, kind = kind, entry = entry_hex, after = after, correlation_id = correlation_id}
  task.traceparent = cause
  if redis.call('RPUSH', key(NAME.TASKS, author), cjson.encode(task)) == 1 then
    redis.call('RPUSH', key(NAME.TASK_AUTHORS, partition), author)
  end
end
