-- A command's record, and whether its effects are in all views, fan-out included. ARGV: stem, the command, the command
-- to wait for or ''. Returns {settled, 1 where the effects are in, record or nil}.
local message_id, after = ARGV[2], ARGV[3]
return {after == '' and 1 or settled(after, true), settled(message_id, true), call('GET', key(COMMAND_RECORD, message_id))}
