-- Writes a key's expected value, if nothing was applied since it was computed.
--
-- KEYS the registry of generations, the partitions' checkpoints, then as many lists of authors with fan-out tasks, then
--      the keys that are written
-- ARGV the generation's number, the number of partitions, the sequence of each, then commands: the number of parts, and
--      the parts
-- Replies 1, or 0 without a write if a checkpoint has another sequence, if a task waits, or if the generation is being
-- deleted, since nothing may bring it back

local entry = redis.call('HGET', KEYS[1], 'generation:' .. ARGV[1])
if entry then
  if cjson.decode(entry).state == 'deleting' then return 0 end
elseif redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HGET', KEYS[1], 'live') ~= ARGV[1] then
  return 0
end

local partitions = tonumber(ARGV[2])
for place = 1, partitions do
  local sequence = redis.call('HGET', KEYS[1 + place], 'sequence') or 0
  if tonumber(sequence) ~= tonumber(ARGV[2 + place]) then return 0 end
  if redis.call('LLEN', KEYS[1 + partitions + place]) > 0 then return 0 end
end

local at = 3 + partitions
while ARGV[at] do
  local parts = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + parts))
  at = at + 1 + parts
end
return 1
