-- For each of many commands whether its effects are in. ARGV: prefix, '1' where fan-out tasks count, the commands' ids.
local with_tasks, answers = ARGV[2] == '1', {}
for i = 3, #ARGV do
  answers[#answers + 1] = settled(ARGV[i], with_tasks)
end
return answers
