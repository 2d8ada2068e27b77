-- Packed entries in server-side functions: the same 24 bytes as in entries.py, newest first in every list.
--
-- Needs  nothing
-- Gives  newer(a, b), cheep_id(entry), entry_from_hex(text), is_hex_entry(text)

local ENTRY_WORDS = '>I4I4I4I4I4I4'

-- True if entry a is newer than entry b. They are compared as six big-endian words: `<` on strings is strcoll, which
-- depends on the server's locale, and a loop over the bytes takes several times as long.
local function newer(a, b)
  local a1, a2, a3, a4, a5, a6 = struct.unpack(ENTRY_WORDS, a)
  local b1, b2, b3, b4, b5, b6 = struct.unpack(ENTRY_WORDS, b)
  if a1 ~= b1 then return a1 > b1 end
  if a2 ~= b2 then return a2 > b2 end
  if a3 ~= b3 then return a3 > b3 end
  if a4 ~= b4 then return a4 > b4 end
  if a5 ~= b5 then return a5 > b5 end
  return a6 > b6
end

-- The id of an entry's cheep as text, formatted from six numbers and not from 16 bytes, which would take twice as long.
local function cheep_id(entry)
  return string.format('%08x-%04x-%04x-%04x-%04x%08x', struct.unpack('>I4I2I2I2I2I4', entry, 9))
end

-- MessagePack in Redis has no type for bytes, so entries travel in hex.
local function entry_from_hex(text)
  local words = {}
  for at = 1, 48, 8 do words[#words + 1] = tonumber(string.sub(text, at, at + 7), 16) end
  return struct.pack(ENTRY_WORDS, unpack(words))
end

local function is_hex_entry(text)
  return type(text) == 'string' and #text == 48 and not string.find(text, '[^0-9a-f]')
end
