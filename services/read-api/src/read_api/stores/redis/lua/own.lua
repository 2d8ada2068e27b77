-- Reads the newest of an author's own cheeps that are older than an entry. Returns {entries, their records}.
--
-- Needs  call, key, newest_older, record_key of common.lua; NAME of cheeper_contracts.views
-- ARGV   prefix, author, limit, entry to begin after or ''
local entries = newest_older(key(NAME.AUTHOR_CHEEPS, ARGV[2]), ARGV[4], tonumber(ARGV[3]))
local keys = {}
for place = 1, #entries do keys[place] = record_key(entries[place]) end
return {entries, keys[1] and call('MGET', unpack(keys)) or {}}
