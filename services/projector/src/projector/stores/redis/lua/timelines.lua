-- Timelines: a list of at most `cap` entries, complete above the floor, which is the newest entry that it may lack.
--
-- Needs  newer and NAME of cheeper_contracts.views, key; insert, own_entries, push_all, living of entries.lua
-- Gives  add_all, pull_in, take_out, is_short
--
-- Every function here keeps two invariants: all entries of the list are above the floor, and the floor never sinks.
-- Only a refill (refills.lua) lets it sink. A refill that is under way has gathered the followed authors' entries that
-- are not above the floor, so it is dropped wherever such an entry comes or the set of followed authors changes.

-- Returns the number of entries that are trimmed beyond what must be: none of a short list, 31 of 800.
local function surplus(cap)
  return math.max(math.floor(cap / 25), 1) - 1
end

-- Cuts a timeline of that length down to its cap, if need be, and raises the floor.
local function trim(reader, list, length, cap)
  if length <= cap then return end
  -- Several at once: a full timeline is then trimmed once in 32 cheeps, which halves the cost of a fan-out.
  local popped = redis.call('RPOP', list, length - cap + surplus(cap))
  redis.call('SET', key(NAME.TIMELINE_FLOOR, reader), popped[#popped])
end

-- Adds an entry to a reader's timeline, whose head the caller has read; returns the new head.
local function add_to_timeline(reader, head, entry, cap)
  local list = key(NAME.TIMELINE, reader)
  local ahead = not head or newer(entry, head)
  if not head or not ahead then
    local floor = redis.call('GET', key(NAME.TIMELINE_FLOOR, reader))
    if floor and not newer(entry, floor) then
      redis.call('DEL', key(NAME.REFILL, reader))
      return head
    end
  end
  local length = insert(list, head, entry)
  if length then trim(reader, list, length, cap) end
  return ahead and entry or head
end

-- Adds entries, oldest first, likewise. Entries that are newer than the whole list, as most are, need one call.
local function add_all(reader, head, entries, cap)
  if head and newer(entries[1], head) then
    local list = key(NAME.TIMELINE, reader)
    trim(reader, list, redis.call('LPUSH', list, unpack(entries)), cap)
    return entries[#entries]
  end
  for _, entry in ipairs(entries) do head = add_to_timeline(reader, head, entry, cap) end
  return head
end

-- Returns two lists merged, newest first, without duplicates.
local function merged(mine, theirs)
  local out, i, j = {}, 1, 1
  while mine[i] or theirs[j] do
    local a, b = mine[i], theirs[j]
    if a and (not b or a == b or newer(a, b)) then
      out[#out + 1] = a
      i = i + 1
      if a == b then j = j + 1 end
    else
      out[#out + 1] = b
      j = j + 1
    end
  end
  return out
end

local FEW = 64  -- up to this number entries are inserted one by one; for more the whole timeline is rewritten

-- Brings an author's newest cheeps into a reader's timeline; returns the timeline's new head.
local function pull_in(reader, author, cap)
  local list, floor_key = key(NAME.TIMELINE, reader), key(NAME.TIMELINE_FLOOR, reader)
  redis.call('DEL', key(NAME.REFILL, reader))
  local head = redis.call('LINDEX', list, 0)
  local floor = redis.call('GET', floor_key)
  -- One more than fits a timeline is read, so that what does not fit raises the floor as a trimming does.
  local theirs = own_entries(author, '+', floor and '(' .. floor or '-', cap + 1)
  if #theirs == 0 then return head end
  if head and #theirs <= FEW then
    for _, entry in ipairs(theirs) do head = add_to_timeline(reader, head, entry, cap) end
    return head
  end
  local all = merged(redis.call('LRANGE', list, 0, -1), theirs)
  if #all > cap then
    redis.call('SET', floor_key, all[cap + 1])
    for place = #all, cap + 1, -1 do all[place] = nil end
  end
  redis.call('DEL', list)
  push_all(list, all)
  return all[1]
end

-- Removes an author's cheeps and deleted ones from a reader's timeline; returns the timeline's new head. It reads the
-- timeline and not the author's own set, which may have more new cheeps than fit: tasks have yet to deliver them.
local function take_out(reader, author)
  local list = key(NAME.TIMELINE, reader)
  redis.call('DEL', key(NAME.REFILL, reader))
  local entries = redis.call('LRANGE', list, 0, -1)
  local kept = living(entries, author)
  if #kept < #entries then
    redis.call('DEL', list)
    push_all(list, kept)
  end
  return kept[1] or false
end

-- True if a timeline is below half of its cap although there is more: its readers pay for the merge below the floor.
local function is_short(reader, cap)
  return redis.call('LLEN', key(NAME.TIMELINE, reader)) * 2 < cap
    and redis.call('EXISTS', key(NAME.TIMELINE_FLOOR, reader)) == 1
end
