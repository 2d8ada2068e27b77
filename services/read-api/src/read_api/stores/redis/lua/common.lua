-- What every script has in common. Before it come locals named as in cheeper_contracts: the key patterns of `views`, and
-- what `generations` says. KEYS[1] is the registry of generations, ARGV[1] what the installation's keys begin with.

local format, floor = string.format, math.floor
local call = redis.call

-- The generation that is live now, for the whole of this call; its keys begin as `generations.prefix_of` says.
local live = call('HGET', KEYS[1], LIVE) or FIRST
local stem = ARGV[1] .. (live == FIRST and '' or 'g' .. live .. '.') .. TAG

local function key(pattern, id)
  return stem .. pattern .. ':' .. id
end

-- Whether entry a is older than entry b. They are compared as six big-endian words: `<` on strings is strcoll, which
-- depends on the server's locale, and a loop over their bytes takes several times as long.
local WORDS = '>I4I4I4I4I4I4'

local function older(a, b)
  if a == b then return false end
  local a1, a2, a3, a4, a5, a6 = struct.unpack(WORDS, a)
  local b1, b2, b3, b4, b5, b6 = struct.unpack(WORDS, b)
  if a1 ~= b1 then return a1 < b1 end
  if a2 ~= b2 then return a2 < b2 end
  if a3 ~= b3 then return a3 < b3 end
  if a4 ~= b4 then return a4 < b4 end
  if a5 ~= b5 then return a5 < b5 end
  return a6 < b6
end

-- The place of the newest entry that is older than `position` in a list that is newest first; its length if none is.
local function first_older(list, length, position)
  local low, high = 0, length
  while low < high do
    local middle = floor((low + high) / 2)
    if older(call('LINDEX', list, middle), position) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

-- The key of the record of an entry's cheep, whose id is the entry's last 16 bytes. In six numbers, not 16: this is most
-- of what a page of a timeline takes.
local function record_key(entry)
  return key(CHEEP_RECORD, format('%08x-%04x-%04x-%04x-%04x%08x', struct.unpack('>I4I2I2I2I2I4', entry, 9)))
end

-- 1 where a command's own effects are in, else 0. Fan-out tasks count for views that tasks write: those of the command's
-- key that are not newer than the message that settled it. The oldest task of a key is the first.
local function settled(message_id, with_tasks)
  local found = call('GET', key(COMMAND_RECORD, message_id))
  if not found then return 0 end
  local record = cjson.decode(found)
  if record.status == 'rejected' or not with_tasks then return 1 end
  local task = call('LINDEX', key(TASKS, record.key), 0)
  if task and cjson.decode(task).sequence <= record.sequence then return 0 end
  return 1
end
