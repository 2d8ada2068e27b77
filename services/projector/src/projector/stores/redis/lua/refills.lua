-- Refills: a short timeline gets the newest entries not above its floor from the followed authors' own sets, and the
-- floor sinks to the newest one that does not fit, or is removed if all fit.
--
-- Needs  newer and NAME of cheeper_contracts.views, key; own_entries, push_all, living of entries.lua; is_short of
--        timelines.lua; cap, wrong_type, leave_out, usable, members of readers.lua
-- Gives  refill
--
-- A refill takes steps of some authors each. The entries gathered so far are kept in REFILL: the newest `wanted` of all
-- entries not above `floor` by the authors up to `reached`, deleted ones included. Whatever could make that untrue drops
-- them, and the refill begins again: timelines.lua when an entry or an author comes or goes, and here another floor.

-- A heap of authors, the one with the newest next entry on top: {entry, author}.
local function rise(heap)
  local at = #heap
  while at > 1 do
    local parent = math.floor(at / 2)
    if not newer(heap[at][1], heap[parent][1]) then return end
    heap[parent], heap[at] = heap[at], heap[parent]
    at = parent
  end
end

local function sink(heap)
  local at, size = 1, #heap
  while true do
    local newest = at
    for child = 2 * at, math.min(2 * at + 1, size) do
      if newer(heap[child][1], heap[newest][1]) then newest = child end
    end
    if newest == at then return end
    heap[newest], heap[at] = heap[at], heap[newest]
    at = newest
  end
end

-- Returns a heap of the authors, each at their newest entry that is not above the floor.
local function authors_below(authors, floor)
  local heap = {}
  for _, author in ipairs(authors) do
    local entry = own_entries(author, '[' .. floor, '-', 1)[1]
    if entry then
      heap[#heap + 1] = {entry, author}
      rise(heap)
    end
  end
  return heap
end

-- Returns the top's entry and moves its author on.
local function take_newest(heap)
  local top = heap[1]
  local entry = top[1]
  top[1] = own_entries(top[2], '(' .. entry, '-', 1)[1]
  if not top[1] then
    heap[1] = heap[#heap]
    heap[#heap] = nil
  end
  if heap[1] then sink(heap) end
  return entry
end

-- Returns the newest `wanted` of the entries gathered before and of these authors' entries.
local function gather(authors, floor, before, wanted)
  local heap, found, at = authors_below(authors, floor), {}, 1
  while #found < wanted and (before[at] or heap[1]) do
    if before[at] and not (heap[1] and newer(heap[1][1], before[at])) then
      found[#found + 1] = before[at]
      at = at + 1
    else
      found[#found + 1] = take_newest(heap)
    end
  end
  return found
end

-- Returns what was gathered so far, if it still holds: the last author, the number wanted, the entries.
local function gathered(reader, floor)
  local kept = redis.pcall('HMGET', key(NAME.REFILL, reader), 'floor', 'reached', 'wanted', 'entries')
  if kept.err or kept[1] ~= floor then
    return '', cap - redis.call('LLEN', key(NAME.TIMELINE, reader)) + 1, {}
  end
  local entries = {}
  for first = 1, #kept[4], 24 do entries[#entries + 1] = string.sub(kept[4], first, first + 23) end
  return kept[2], tonumber(kept[3]), entries
end

-- Appends the gathered entries to the list; returns their number. One more than fits was wanted: if it was found, there
-- may be others below it, and it becomes the floor.
local function put_under(reader, entries, wanted)
  local list = key(NAME.TIMELINE, reader)
  local beyond = #entries == wanted and table.remove(entries)
  local alive, room = living(entries), cap - redis.call('LLEN', list)
  local floor = alive[room + 1] or beyond
  for place = #alive, room + 1, -1 do alive[place] = nil end
  push_all(list, alive)
  if floor then
    redis.call('SET', key(NAME.TIMELINE_FLOOR, reader), floor)
  else
    redis.call('DEL', key(NAME.TIMELINE_FLOOR, reader))
  end
  return #alive
end

-- Returns those of the followed authors whom the reader does not mute.
local function seen(reader, authors)
  local kept, muted = {}, members(key(NAME.MUTED, reader), authors)
  for _, author in ipairs(authors) do
    if not muted[author] then kept[#kept + 1] = author end
  end
  return kept
end

local function some_mistyped(authors)
  for _, author in ipairs(authors) do
    if wrong_type(key(NAME.AUTHOR_CHEEPS, author), 'zset') then return true end
  end
end

-- Does one step for a short timeline. Returns 'goes on' or 'done', and the number of entries added. The floor depends on
-- the sets of all followed authors, so the reader is left out if one of them cannot be read.
local function refill(reader, most)
  local state, following = key(NAME.REFILL, reader), key(NAME.FOLLOWING, reader)
  if not usable(reader, '') then return 'done', 0 end
  if not is_short(reader, cap) then
    redis.call('DEL', state)
    return 'done', 0
  end
  local floor = redis.call('GET', key(NAME.TIMELINE_FLOOR, reader))
  local reached, wanted, entries = gathered(reader, floor)
  local from = reached == '' and '-' or '(' .. reached
  local readable = not wrong_type(following, 'zset') and not wrong_type(key(NAME.MUTED, reader), 'zset')
  local authors = readable and redis.call('ZRANGEBYLEX', following, from, '+', 'LIMIT', 0, most)
  if not authors or some_mistyped(authors) then
    leave_out(reader, '')
    return 'done', 0
  end
  entries = gather(seen(reader, authors), floor, entries, wanted)
  redis.call('DEL', state)
  if #authors == most then
    redis.call('HSET', state, 'floor', floor, 'reached', authors[most], 'wanted', wanted,
      'entries', table.concat(entries))
    return 'goes on', 0
  end
  local added = put_under(reader, entries, wanted)
  return is_short(reader, cap) and 'goes on' or 'done', added
end
