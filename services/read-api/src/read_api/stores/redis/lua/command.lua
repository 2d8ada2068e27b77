-- Returns a command's state: {time, settled, projected, record or nil, accepted command or nil}. `time` is that of the
-- server's clock, in seconds. `settled` is 1 if the effects of the command to wait for are in, `projected` if those of this
-- one are, fan-out included. The accepted command is of no generation.
--
-- Needs  call, key, settled of common.lua; NAME of cheeper_contracts.views; TAG of cheeper_contracts.views.generations
-- ARGV   prefix, command, command to wait for or ''
local message_id, after = ARGV[2], ARGV[3]
local record = call('GET', key(NAME.COMMAND_RECORD, message_id))
return {
  call('TIME')[1],
  after == '' and 1 or settled(after, true),
  settled(message_id, true),
  record,
  call('GET', ARGV[1] .. TAG .. NAME.ACCEPTED_COMMAND .. ':' .. message_id),
}
