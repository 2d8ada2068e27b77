-- Lists of packed entries, newest first, and the sets of authors' own entries.
--
-- Needs  newer, cheep_id and NAME of cheeper_contracts.views, key
-- Gives  insert, own_entries, push_all, record_key, living

-- Returns the first element of a list that is not newer than the entry, or false if all are; and its place. The head is
-- known to be newer. Probes leave the head in growing steps, then halve: late entries are mostly near it.
local function first_not_newer(list, entry)
  local low, high, step, found = 1, nil, 1, false
  while not high or low < high do
    local at = high and math.floor((low + high) / 2) or low + step - 1
    local other = redis.call('LINDEX', list, at)
    if other and newer(other, entry) then
      low, step = at + 1, step * 2
    else
      high, found = at, other
    end
  end
  return found, low
end

-- Inserts the entry at its place in a list; returns the list's new length, or nil for a duplicate.
local function insert(list, head, entry)
  if not head or newer(entry, head) then return redis.call('LPUSH', list, entry) end
  if entry == head then return nil end
  local behind = first_not_newer(list, entry)
  if behind == entry then return nil end
  if behind then return redis.call('LINSERT', list, 'BEFORE', behind, entry) end
  return redis.call('RPUSH', list, entry)
end

-- Returns at most `count` of an author's own entries, newest first, between two bounds of ZRANGE BYLEX. The bytes of
-- entries compare as the entries do, so whatever the set's size, that takes a search and the entries returned.
local function own_entries(author, newest, oldest, count)
  return redis.call('ZRANGE', key(NAME.AUTHOR_CHEEPS, author), newest, oldest, 'BYLEX', 'REV', 'LIMIT', 0, count)
end

-- Appends any number of values to a list: unpack() has a limit.
local function push_all(list, values)
  for first = 1, #values, 500 do
    redis.call('RPUSH', list, unpack(values, first, math.min(first + 499, #values)))
  end
end

local function record_key(entry)
  return key(NAME.CHEEP_RECORD, cheep_id(entry))
end

-- Returns the entries whose cheeps are not deleted and not by the author `without`, if one is given. The record is not
-- decoded, which would take longer than all else: within a text its quotes would be escaped.
local function living(entries, without)
  local kept, mark = {}, without and '"author_id":"' .. without .. '"'
  for first = 1, #entries, 200 do
    local keys = {}
    for place = first, math.min(first + 199, #entries) do keys[#keys + 1] = record_key(entries[place]) end
    for offset, record in ipairs(redis.call('MGET', unpack(keys))) do
      if record and record ~= '' and not (mark and string.find(record, mark, 1, true)) then
        kept[#kept + 1] = entries[first + offset - 1]
      end
    end
  end
  return kept
end
