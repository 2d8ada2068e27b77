-- Returns a flag for each of many commands, which is 1 if its effects are in.
--
-- Needs  settled of common.lua
-- ARGV   prefix, '1' if fan-out tasks count, the commands' ids
local with_tasks, found = ARGV[2] == '1', {}
for i = 3, #ARGV do
  found[#found + 1] = settled(ARGV[i], with_tasks)
end
return found
