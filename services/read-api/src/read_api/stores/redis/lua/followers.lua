-- Returns an author's username and number of followers: {settled, username or nil, followers or nil}.
--
-- Needs  call, key, settled of common.lua; NAME of cheeper_contracts.views
-- ARGV   prefix, author, command to wait for or ''
local author, after = ARGV[2], ARGV[3]
local found = call('HMGET', key(NAME.AUTHOR_COUNTERS, author), 'username', 'followers')
return {after == '' and 1 or settled(after, false), found[1], found[2]}
