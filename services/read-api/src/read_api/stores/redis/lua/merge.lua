-- Runs one bounded step of the merge below a timeline's floor, of the own sets of the followed authors who are not muted. Returns {entries of all
-- steps so far, newest first; the last author of this step, or '' if none is left; the entries' records if no author is
-- left}.
--
-- Needs  call, key, newest_older, record_key of common.lua; newer, NAME of cheeper_contracts.views
-- ARGV   prefix, reader, entry that all must be older than, limit, last author of the step before or '', most authors of
--        a step, entries of the steps before
local reader, below, want, beyond = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local most_authors, gathered = tonumber(ARGV[6]), ARGV[7]

-- As a number a date may be rounded, never so that it changes sides: equal ones are compared as entries.
local function date_of(entry)
  return (struct.unpack('>I8', entry))
end

-- The authors whose next entries are the newest of all, {date, entry, key of the entries}: no others can have any of the
-- `want` newest, so there are no more than that, or twice as many until they are sorted. `bound` is the date that is too
-- old.
local authors_ahead, bound = {}, -1

local function is_ahead(a, b)
  if a[1] ~= b[1] then return a[1] > b[1] end
  return newer(a[2], b[2])
end

local function keep_newest()
  table.sort(authors_ahead, is_ahead)
  for i = #authors_ahead, want + 1, -1 do authors_ahead[i] = nil end
  if authors_ahead[want] then bound = authors_ahead[want][1] end
end

local function offer(entry, entries)
  local date = date_of(entry)
  if date < bound then return end
  authors_ahead[#authors_ahead + 1] = {date, entry, entries}
  if #authors_ahead == 2 * want then keep_newest() end
end

-- Sorted, they are a heap; its top moves down to its place.
local function sink()
  local i = 1
  while true do
    local newest = i
    for child = 2 * i, 2 * i + 1 do
      if authors_ahead[child] and is_ahead(authors_ahead[child], authors_ahead[newest]) then newest = child end
    end
    if newest == i then return end
    authors_ahead[newest], authors_ahead[i] = authors_ahead[i], authors_ahead[newest]
    i = newest
  end
end

-- The top's entry, and its author moves on. What steps before gathered has no author.
local function take_newest()
  local top = authors_ahead[1]
  local entry = top[2]
  local following = top[3] and newest_older(top[3], entry, 1)[1]
  if following then
    top[1], top[2] = date_of(following), following
  else
    authors_ahead[1] = authors_ahead[#authors_ahead]
    authors_ahead[#authors_ahead] = nil
  end
  if authors_ahead[1] then sink() end
  return entry
end

for first = 1, #gathered, #below do offer(string.sub(gathered, first, first + #below - 1)) end

local from = beyond == '' and '-' or '(' .. beyond
local authors = call('ZRANGE', key(NAME.FOLLOWING, reader), from, '+', 'BYLEX', 'LIMIT', 0, most_authors + 1)
local muted = key(NAME.MUTED, reader)
local mutes = #authors > 0 and call('EXISTS', muted) == 1 and call('ZMSCORE', muted, unpack(authors)) or {}
local stem_of_entries = key(NAME.AUTHOR_CHEEPS, '')
for i = 1, math.min(#authors, most_authors) do
  local entries = stem_of_entries .. authors[i]
  local entry = not mutes[i] and newest_older(entries, below, 1)[1]
  if entry then offer(entry, entries) end
end
local reached = #authors > most_authors and authors[most_authors] or ''
keep_newest()

local entries, keys = {}, {}
while #entries < want and authors_ahead[1] do
  local entry = take_newest()
  entries[#entries + 1], keys[#keys + 1] = entry, record_key(entry)
end
return {entries, reached, reached == '' and keys[1] and call('MGET', unpack(keys)) or {}}
