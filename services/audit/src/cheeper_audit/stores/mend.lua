-- Writes a key's expected value, if nothing was applied since it was worked out.
--
-- KEYS the partitions' checkpoints, then as many lists of authors with fan-out tasks, then the keys that are written
-- ARGV the number of partitions, the sequence of each, then commands: how many parts, and the parts
-- Replies 1, or 0 where a checkpoint has another sequence or a task waits: nothing is written then

local partitions = tonumber(ARGV[1])
for place = 1, partitions do
  local sequence = redis.call('HGET', KEYS[place], 'sequence') or 0
  if tonumber(sequence) ~= tonumber(ARGV[1 + place]) then return 0 end
  if redis.call('LLEN', KEYS[partitions + place]) > 0 then return 0 end
end

local at = 2 + partitions
while ARGV[at] do
  local parts = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + parts))
  at = at + 1 + parts
end
return 1
