-- Reads a part of a timeline's list above its floor, filled with the cheeps' records, without deleted ones. Returns
-- {settled, skipped, entries, records, the floor if it was reached and else ''}.
--
-- Needs  call, key, first_older, record_key, settled of common.lua; newer, NAME of cheeper_contracts.views
-- ARGV   prefix, author, limit, number to skip, entry to begin after or '', command to wait for or ''
local MOST = 200 -- records looked at in one go

local author, want, skip, before, after = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
local list = key(NAME.TIMELINE, author)
local bottom = call('GET', key(NAME.TIMELINE_FLOOR, author))
local length = call('LLEN', list)
local at = 0
if before ~= '' then at = first_older(list, length, before) end

-- The next entries above the floor, and the keys of their records.
local function next_entries()
  local missing = want + skip
  local entries = call('LRANGE', list, at, at + (missing < MOST and missing or MOST) - 1)
  at = at + #entries
  while bottom and entries[1] and not newer(entries[#entries], bottom) do
    entries[#entries] = nil
    length = at -- from here on the list may have holes
  end
  local keys = {}
  for i = 1, #entries do keys[i] = record_key(entries[i]) end
  return entries, keys
end

local skipped, entries, records = 0, {}, {}
while want > 0 and at < length do
  local candidates, keys = next_entries()
  if #candidates > 0 then
    local found = call('MGET', unpack(keys))
    for i = 1, #candidates do
      local record = found[i]
      if record then
        if skip > 0 then
          skip, skipped = skip - 1, skipped + 1
        elseif want > 0 then
          want = want - 1
          entries[#entries + 1], records[#records + 1] = candidates[i], record
        end
      end
    end
  end
end

return {
  after == '' and 1 or settled(after, true),
  skipped,
  entries,
  records,
  want > 0 and bottom or '',
}
