-- Replaces the text of a key's first parked message, if it is still that one.
--
-- Needs  nothing
-- KEYS[1] the key's parked messages
-- ARGV    stem, the text as it is, the text as it shall be

if redis.call('LINDEX', KEYS[1], 0) == ARGV[2] then redis.call('LSET', KEYS[1], 0, ARGV[3]) end
