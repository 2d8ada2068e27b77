-- One bounded step of the merge below a timeline's floor: the newest entries of some followed authors' own lists.
-- ARGV: prefix, reader, the entry that all must be older than, how many are wanted, the last author of the step before or
-- '', how many authors a step takes. Returns {entries newest first, the last author of this step or '' if none is left}.
local reader, below, want, beyond, most = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])

-- A heap of the lists' next entries, the newest on top: {entry, list, place}.
local heap = {}

local function rise(i)
  while i > 1 do
    local parent = floor(i / 2)
    if not older(heap[parent][1], heap[i][1]) then return end
    heap[parent], heap[i] = heap[i], heap[parent]
    i = parent
  end
end

local function sink(i)
  while true do
    local newest = i
    for child = 2 * i, 2 * i + 1 do
      if heap[child] and older(heap[newest][1], heap[child][1]) then newest = child end
    end
    if newest == i then return end
    heap[newest], heap[i] = heap[i], heap[newest]
    i = newest
  end
end

local authors = call(
  'ZRANGE', key(FOLLOWING, reader), beyond == '' and '-' or '(' .. beyond, '+', 'BYLEX', 'LIMIT', 0, most)
for _, author in ipairs(authors) do
  local list = key(AUTHOR_CHEEPS, author)
  local length = call('LLEN', list)
  local at = first_older(list, length, below)
  if at < length then
    heap[#heap + 1] = {call('LINDEX', list, at), list, at}
    rise(#heap)
  end
end

local entries = {}
while #entries < want and heap[1] do
  local top = heap[1]
  entries[#entries + 1] = top[1]
  local following = call('LINDEX', top[2], top[3] + 1)
  if following then
    top[1], top[3] = following, top[3] + 1
  else
    heap[1] = heap[#heap]
    heap[#heap] = nil
  end
  if heap[1] then sink(1) end
end

return {entries, #authors == most and authors[most] or ''}
