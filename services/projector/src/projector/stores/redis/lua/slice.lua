-- Serves the next in turn of a partition: one slice of an author's first fan-out task, or one step for a short timeline.
-- A slice works by state: an entry goes to whoever follows the author now, if the cheep still lives.
--
-- KEYS[1] the partition's authors with tasks
-- KEYS[2] and the last of ARGV: guard.lua
-- ARGV    stem, partition, followers in a slice, cap, followed authors in a step
-- Replies {} when nothing waits
--         {'slice', author, sequence, correlation id, readers served, readers left out, how many wait}
--         {'refill', reader, 'goes on' or 'done', entries added, readers left out, how many wait}

partition, cap = ARGV[2], tonumber(ARGV[4])
local slice_size, step_size = tonumber(ARGV[3]), tonumber(ARGV[5])
local short = key(NAME.SHORT_TIMELINES, partition)

local mistyped = wrong_type(KEYS[1], 'list') or wrong_type(short, 'zset')
if mistyped then return redis.error_reply('WRONGTYPE ' .. mistyped) end

-- The next readers after the task's cursor, and whether more come after them.
local function next_readers(author, after)
  local from = after == '' and '-' or '(' .. after
  local readers = redis.call('ZRANGEBYLEX', key(NAME.FOLLOWERS, author), from, '+', 'LIMIT', 0, slice_size + 1)
  local more = #readers > slice_size
  if more then readers[#readers] = nil end
  return readers, more
end

local function serve_slice(author)
  local tasks = key(NAME.TASKS, author)
  local task = cjson.decode(redis.call('LINDEX', tasks, 0))
  local kind, entry = task.kind or 'insert', from_hex(task.entry)
  local readers, more = {}, false
  if kind == 'remove' or living({entry})[1] then
    readers, more = next_readers(author, task.after)
    serve(author, readers, entry, kind)
  end
  if more then
    task.after = readers[#readers]
    redis.call('LSET', tasks, 0, cjson.encode(task))
  else
    redis.call('LPOP', tasks)
  end
  redis.call('LPOP', KEYS[1])
  if redis.call('EXISTS', tasks) == 1 then redis.call('RPUSH', KEYS[1], author) end
  return {'slice', author, task.sequence, task.correlation_id, #readers, left_out, redis.call('LLEN', KEYS[1])}
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
