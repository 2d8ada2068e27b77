-- Refuses a call that would write into a generation that is being deleted or was deleted: its views would come back.
--
-- Needs  KEYS[2], the registry of generations, and the generation's number as the last of ARGV
-- Gives  nothing

local function may_be_written()
  local entry = redis.call('HGET', KEYS[2], 'generation:' .. ARGV[#ARGV])
  if entry then return cjson.decode(entry).state ~= 'deleting' end
  return ARGV[#ARGV] == '1' and redis.call('EXISTS', KEYS[2]) == 0  -- the first one, before anything is registered
end

if not may_be_written() then return redis.error_reply('FORGOTTEN generation ' .. ARGV[#ARGV] .. ' is forgotten') end
