-- Runs one bounded step of the merge below a timeline's floor, of the followed authors' own lists. Returns {entries of all
-- steps so far, newest first; the last author of this step, or '' if none is left; the places where the lists continue;
-- the entries' records if no author is left}.
--
-- Needs  call, key, floor, record_key of common.lua; newer, NAME of cheeper_contracts.views
-- ARGV   prefix, reader, entry that all must be older than, limit, last author of the step before or '', most authors of
--        a step, most reads of a step, entries of the steps before, guessed places of these authors' lists
local reader, below, want, beyond = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local most_authors, most_reads, gathered, guesses = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9]

-- Places in a list as LINDEX counts them, from its end, so that what comes in at the head moves none. Two are signs: the
-- head, whatever the length, and nowhere, where no entry is old enough.
local HEAD, NOWHERE = 0, 1
local GUESS, GUESS_BYTES = '>i4', 4 -- as places travel: one for each author, in the authors' order
local LEAP = 8 -- a list is searched in steps that grow so, since what is looked for is mostly near to where they begin

-- As a number a date may be rounded, never so that it changes sides: equal ones are compared as entries.
local unpack_number = struct.unpack
local function date_of(entry)
  return (unpack_number('>I8', entry))
end

local below_date = date_of(below)

local function is_older(entry)
  local date = date_of(entry)
  if date ~= below_date then return date < below_date end
  return newer(below, entry)
end

local reads = 0

local function entry_at(list, place)
  reads = reads + 1
  return call('LINDEX', list, place)
end

-- The newest entry of a list that is older than `below`, if there is one, between a place that is not older and one that
-- is, either of which may be unknown; and its place.
local function search(list, not_older, is_older_at, found)
  local leap = 1
  while not not_older or not is_older_at or is_older_at - not_older > 1 do
    local place
    if not not_older then
      place, leap = is_older_at - leap, leap * LEAP
    elseif not is_older_at then
      place, leap = not_older + leap, leap * LEAP
    else
      place = floor((not_older + is_older_at) / 2)
    end
    local entry = place < 0 and entry_at(list, place)
    if place >= 0 or entry and is_older(entry) then -- behind the end all would be older, before the head none
      is_older_at, found = place, entry
    else
      not_older = place
    end
  end
  if found then return found, is_older_at end
  return nil, NOWHERE
end

-- The same, where a guess says it: one read if that is right.
local function newest_below(list, guess)
  if guess == HEAD then
    local head = entry_at(list, 0)
    if not head or is_older(head) then return head, HEAD end
    reads = reads + 1
    return search(list, -call('LLEN', list))
  elseif guess == NOWHERE then
    local oldest = entry_at(list, -1)
    if not oldest or not is_older(oldest) then return nil, NOWHERE end
    return search(list, nil, -1, oldest)
  end
  reads = reads + 1
  local pair = call('LRANGE', list, guess - 1, guess)
  local entry = pair[#pair]
  if not entry or not is_older(entry) then return search(list, guess) end
  if #pair == 1 then return entry, HEAD end
  if is_older(pair[1]) then return search(list, nil, guess - 1, pair[1]) end
  return entry, guess
end

-- The lists whose next entries are the newest of all, {date, entry, list, place}: no others can have any of the `want`
-- newest, so there are no more than that, or twice as many until they are sorted. `bound` is the date that is too old.
local lists, bound = {}, -1

local function newer_list(a, b)
  if a[1] ~= b[1] then return a[1] > b[1] end
  return newer(a[2], b[2])
end

local function keep_newest()
  table.sort(lists, newer_list)
  for i = #lists, want + 1, -1 do lists[i] = nil end
  if lists[want] then bound = lists[want][1] end
end

local function offer(entry, list, place)
  local date = date_of(entry)
  if date < bound then return end
  lists[#lists + 1] = {date, entry, list, place}
  if #lists == 2 * want then keep_newest() end
end

-- Sorted lists are a heap; its top moves down to its place.
local function sink()
  local i = 1
  while true do
    local newest = i
    for child = 2 * i, 2 * i + 1 do
      if lists[child] and newer_list(lists[child], lists[newest]) then newest = child end
    end
    if newest == i then return end
    lists[newest], lists[i] = lists[i], lists[newest]
    i = newest
  end
end

-- The top's entry, and its list moves on. What steps before gathered are lists of one.
local function take_newest()
  local top = lists[1]
  local entry = top[2]
  local following = top[3] and top[4] ~= -1 and call('LINDEX', top[3], top[4] + 1)
  if following then
    top[1], top[2], top[4] = date_of(following), following, top[4] + 1
  else
    lists[1] = lists[#lists]
    lists[#lists] = nil
  end
  if lists[1] then sink() end
  return entry
end

for first = 1, #gathered, #below do offer(string.sub(gathered, first, first + #below - 1)) end

local from = beyond == '' and '-' or '(' .. beyond
local authors = call('ZRANGE', key(NAME.FOLLOWING, reader), from, '+', 'BYLEX', 'LIMIT', 0, most_authors + 1)
local places, stem_of_lists = {}, key(NAME.AUTHOR_CHEEPS, '')
while #places < #authors and #places < most_authors and reads < most_reads do
  local i = #places + 1
  local at = i * GUESS_BYTES - GUESS_BYTES + 1
  local list = stem_of_lists .. authors[i]
  local entry, place = newest_below(list, at < #guesses and unpack_number(GUESS, guesses, at) or HEAD)
  places[i] = place
  if entry then offer(entry, list, place) end
end
local reached = #places < #authors and authors[#places] or ''
keep_newest()

local entries, keys = {}, {}
while #entries < want and lists[1] do
  local entry = take_newest()
  entries[#entries + 1], keys[#keys + 1] = entry, record_key(entry)
end
for i = 1, #places do places[i] = struct.pack(GUESS, places[i]) end
return {entries, reached, table.concat(places), reached == '' and keys[1] and call('MGET', unpack(keys)) or {}}
