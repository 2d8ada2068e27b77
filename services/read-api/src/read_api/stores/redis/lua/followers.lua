-- An author's username and number of followers. ARGV: prefix, author, the command to wait for or ''.
-- Returns {settled, username or nil, followers or nil}.
local author, after = ARGV[2], ARGV[3]
local found = call('HMGET', key(NAME.AUTHOR_COUNTERS, author), 'username', 'followers')
return {after == '' and 1 or settled(after, false), found[1], found[2]}
