-- A command's record, whether its effects are in all views, fan-out included, and while it has no record whether it was
-- accepted, which is no generation's. ARGV: prefix, the command, the command to wait for or ''. Returns {settled, 1 where
-- the effects are in, record or nil, accepted command or nil}.
local message_id, after = ARGV[2], ARGV[3]
local record = call('GET', key(NAME.COMMAND_RECORD, message_id))
return {
  after == '' and 1 or settled(after, true),
  settled(message_id, true),
  record,
  not record and call('GET', ARGV[1] .. TAG .. NAME.ACCEPTED_COMMAND .. ':' .. message_id),
}
