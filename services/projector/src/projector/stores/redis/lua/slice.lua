-- Serves one slice of the first fan-out task of the partition's next author, and lets the next author come first.
-- It works by state: an entry goes to whoever follows the author now, if the cheep still lives.
--
-- KEYS[1] the partition's authors with tasks
-- ARGV    stem, followers in a slice, cap
-- Replies {} without a task
--         {author, sequence, correlation id, readers served, readers left out, authors with tasks}

local size = tonumber(ARGV[2])
cap = tonumber(ARGV[3])

local function cheep_lives(entry_hex)
  local id = string.gsub(string.sub(entry_hex, 17), '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x+)$', '%1-%2-%3-%4-%5')
  return redis.call('STRLEN', key(NAME.CHEEP_RECORD, id)) > 0
end

-- The next readers after the task's cursor, and whether more come after them.
local function next_readers(author, after)
  local from = after == '' and '-' or '(' .. after
  local readers = redis.call('ZRANGEBYLEX', key(NAME.FOLLOWERS, author), from, '+', 'LIMIT', 0, size + 1)
  local more = #readers > size
  if more then readers[#readers] = nil end
  return readers, more
end

-- A reader whose keys are of a wrong type is left out and reported: one broken timeline must not stop all tasks.
local function serve(readers, entry)
  local left_out = {}
  for _, reader in ipairs(readers) do
    if cannot_read_head(reader) then
      left_out[#left_out + 1] = reader
    else
      deliver(reader, entry)
    end
  end
  return left_out
end

local author = redis.call('LINDEX', KEYS[1], 0)
if not author then return {} end
local tasks = key(NAME.TASKS, author)
local task = cjson.decode(redis.call('LINDEX', tasks, 0))
local readers, more, left_out = {}, false, {}
if cheep_lives(task.entry) then
  readers, more = next_readers(author, task.after)
  left_out = serve(readers, from_hex(task.entry))
end

if more then
  task.after = readers[#readers]
  redis.call('LSET', tasks, 0, cjson.encode(task))
else
  redis.call('LPOP', tasks)
end
redis.call('LPOP', KEYS[1])
if redis.call('EXISTS', tasks) == 1 then redis.call('RPUSH', KEYS[1], author) end
return {author, task.sequence, task.correlation_id, #readers, left_out, redis.call('LLEN', KEYS[1])}
