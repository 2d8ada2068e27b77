-- Serves the next in turn of a partition: one slice of an author's first fan-out tasks, or one step for a short timeline.
-- A slice works from the current state: an entry goes to whoever follows the author now, if the cheep is not deleted.
--
-- Needs  newer, entry_from_hex and NAME of cheeper_contracts.views, key; living of entries.lua; partition, cap, work_max,
--        left_out, wrong_type, await_refill, serve of readers.lua; refill of refills.lua
-- KEYS[1] the partition's authors with tasks
-- KEYS[2] and the last of ARGV: guard.lua
-- ARGV    stem, partition, entries in a slice, cap, followed authors in a step, work_max
-- Replies {} when nothing waits
--         {'slice', author, {{sequence, correlation id, traceparent or nil} of each task}, readers served, readers left out, number waiting}
--         {'refill', reader, 'goes on' or 'done', entries added, readers left out, number waiting}

partition, cap, work_max = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[6])
local slice_size, step_size = tonumber(ARGV[3]), tonumber(ARGV[5])
local short = key(NAME.SHORT_TIMELINES, partition)

local mistyped = wrong_type(KEYS[1], 'list') or wrong_type(short, 'zset')
if mistyped then return redis.error_reply('WRONGTYPE ' .. mistyped) end

-- Returns the next readers after a cursor, and true if more come after them.
local function next_readers(author, after, count)
  local from = after == '' and '-' or '(' .. after
  local readers = redis.call('ZRANGEBYLEX', key(NAME.FOLLOWERS, author), from, '+', 'LIMIT', 0, count + 1)
  local more = #readers > count
  if more then readers[#readers] = nil end
  return readers, more
end

local TOGETHER = 16  -- tasks, at most

-- Returns an author's first task and those behind it that go with it, and their entries, an empty list if the first needs
-- nothing done. Tasks go together while all insert cheeps that are not deleted, each newer than the one before, and are
-- at the same follower: each timeline is then read once for all of them.
local function tasks_together(tasks)
  local found, entries = {}, {}
  for _, text in ipairs(redis.call('LRANGE', tasks, 0, math.min(TOGETHER, slice_size) - 1)) do
    local task = cjson.decode(text)
    local first, entry = found[1] or task, entry_from_hex(task.entry)
    local lives = living({entry})[1]
    local alone = task.kind == 'remove' or not lives or first.kind == 'remove' or (first ~= task and #entries == 0)
    if first ~= task and (alone or task.after ~= first.after or not newer(entry, entries[#entries])) then break end
    found[#found + 1] = task
    if lives or task.kind == 'remove' then entries[#entries + 1] = entry end
  end
  return found, entries
end

local function serve_slice(author)
  local tasks = key(NAME.TASKS, author)
  local found, entries = tasks_together(tasks)
  local readers, more, served = {}, false, {}
  if #entries > 0 then
    -- As many entries as one task's slice would have.
    readers, more = next_readers(author, found[1].after, math.floor(slice_size / #found))
    local reached = serve(author, readers, entries, found[1].kind or 'insert')
    more = more or reached < #readers
    for place = #readers, reached + 1, -1 do readers[place] = nil end
  end
  for place, task in ipairs(found) do
    served[place] = {task.sequence, task.correlation_id, task.traceparent}
    if more then
      task.after = readers[#readers]
      redis.call('LSET', tasks, place - 1, cjson.encode(task))
    end
  end
  if not more then redis.call('LPOP', tasks, #found) end
  redis.call('LPOP', KEYS[1])
  if redis.call('EXISTS', tasks) == 1 then redis.call('RPUSH', KEYS[1], author) end
  return {'slice', author, served, #readers, left_out, redis.call('LLEN', KEYS[1])}
end

local function serve_short()
  local reader = redis.call('ZRANGE', short, 0, 0)[1]
  local outcome, added = refill(reader, step_size)
  redis.call('LPOP', KEYS[1])
  redis.call('ZREM', short, reader)
  if redis.call('EXISTS', short) == 1 then redis.call('RPUSH', KEYS[1], '') end
  if outcome == 'goes on' then await_refill(reader) end
  return {'refill', reader, outcome, added, left_out, redis.call('LLEN', KEYS[1])}
end

local author = redis.call('LINDEX', KEYS[1], 0)
if not author then return {} end
if author == '' then return serve_short() end
return serve_slice(author)
