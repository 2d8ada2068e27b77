-- Nothing is written into a generation that is being forgotten or is gone: what its end has removed would come back.
--
-- KEYS[2] the registry of generations; the last of ARGV is the generation's number

local function may_be_written()
  local entry = redis.call('HGET', KEYS[2], 'generation:' .. ARGV[#ARGV])
  if entry then return cjson.decode(entry).state ~= 'deleting' end
  return ARGV[#ARGV] == '1' and redis.call('EXISTS', KEYS[2]) == 0  -- the first one, before anything is registered
end

if not may_be_written() then return redis.error_reply('FORGOTTEN generation ' .. ARGV[#ARGV] .. ' is forgotten') end
