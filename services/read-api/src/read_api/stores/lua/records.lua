-- The records of cheeps. ARGV: prefix, the cheeps' entries. Returns the records in that order, nil where one is deleted.
local keys = {}
for i = 2, #ARGV do
  keys[i - 1] = record_key(ARGV[i])
end
return call('MGET', unpack(keys))
