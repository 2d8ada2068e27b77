-- The functions that every script uses. KEYS[1] is the registry of generations, ARGV[1] the installation's prefix.
--
-- Needs  newer, cheep_id and NAME of cheeper_contracts.views; LIVE, FIRST and TAG of cheeper_contracts.views.generations
-- Gives  call, floor, key, first_older, newest_older, record_key, settled

local call, floor = redis.call, math.floor

-- The generation that is live now, for the whole of this call; its keys begin as `generations.prefix_of` says.
local live = call('HGET', KEYS[1], LIVE) or FIRST
local stem = ARGV[1] .. (live == FIRST and '' or 'g' .. live .. '.') .. TAG

local function key(pattern, id)
  return stem .. pattern .. ':' .. id
end

-- The place of the newest entry that is older than `position` in a list that is newest first; its length if none is.
local function first_older(list, length, position)
  local low, high = 0, length
  while low < high do
    local middle = floor((low + high) / 2)
    if newer(position, call('LINDEX', list, middle)) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

-- The newest `count` of an author's own entries that are older than `position`, which is '' for all. A generation of a
-- projector before version 2 has lists, newest first, where later ones have sets.
local function newest_older(entries, position, count)
  local from = position == '' and '+' or '(' .. position
  local found = redis.pcall('ZRANGE', entries, from, '-', 'BYLEX', 'REV', 'LIMIT', 0, count)
  if not found.err then return found end
  local first = position == '' and 0 or first_older(entries, call('LLEN', entries), position)
  return call('LRANGE', entries, first, first + count - 1)
end

-- The key of the record of an entry's cheep.
local function record_key(entry)
  return key(NAME.CHEEP_RECORD, cheep_id(entry))
end

-- 1 where a command's own effects are in, else 0. Fan-out tasks count for views that tasks write: those of the command's
-- key that are not newer than the message that settled it. The oldest task of a key is the first.
local function settled(message_id, with_tasks)
  local found = call('GET', key(NAME.COMMAND_RECORD, message_id))
  if not found then return 0 end
  local record = cjson.decode(found)
  if record.status == 'rejected' or not with_tasks then return 1 end
  local task = call('LINDEX', key(NAME.TASKS, record.key), 0)
  if task and cjson.decode(task).sequence <= record.sequence then return 0 end
  return 1
end
