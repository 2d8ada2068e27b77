-- Reports changes of timelines to the processes that stream them, as cheeper_contracts.views.streams declares. While
-- nobody streams anything, a call that has something to report pays for one question to Redis, and no reader costs
-- anything.
--
-- Needs  STREAM of cheeper_contracts.views; record_key of entries.lua; KEYS[2] and the last of ARGV: guard.lua
-- Gives  report_cheeps, report_own, report_change, report_record

local stem_of_streams = string.match(KEYS[2], '^(.*:)')  -- the installation's, whichever generation this is
local listening  -- true if there are open streams and this generation is the one that they show; asked once in a call

local function subscribers(channels)
  return redis.call('PUBSUB', 'NUMSUB', unpack(channels))
end

local function somebody_listens()
  if listening == nil then
    listening = subscribers({stem_of_streams .. STREAM.ALL})[2] > 0
      and (redis.call('HGET', KEYS[2], 'live') or '1') == ARGV[#ARGV]
  end
  return listening
end

local function channel_of(reader) return stem_of_streams .. STREAM.OF .. reader end

-- Reports entries, oldest first, that the first `count` of these readers have received, but for those in `except`. A
-- deleted cheep is not reported.
local function report_cheeps(readers, count, entries, except)
  if count == 0 or not somebody_listens() then return end
  local channels, messages = {}, nil
  for place = 1, count do channels[place] = channel_of(readers[place]) end
  local found = subscribers(channels)
  for place = 1, count do
    if found[2 * place] > 0 and not except[readers[place]] then
      if not messages then
        messages = {}
        for _, entry in ipairs(entries) do
          local record = redis.call('GET', record_key(entry))
          if record then messages[#messages + 1] = STREAM.CHEEP .. entry .. record end
        end
      end
      for _, message in ipairs(messages) do redis.call('PUBLISH', channels[place], message) end
    end
  end
end

-- Reports an entry to the streams of the author who posted it. A deleted cheep is not reported.
local function report_own(author, entry)
  if not somebody_listens() or subscribers({channel_of(author)})[2] == 0 then return end
  local record = redis.call('GET', record_key(entry))
  if record then redis.call('PUBLISH', channel_of(author), STREAM.OWN .. entry .. record) end
end

-- Reports to a reader's streams that the reader follows the author now or does not any more, or another change of that kind.
local function report_change(kind, reader, subject)
  if somebody_listens() then redis.call('PUBLISH', channel_of(reader), kind .. subject) end
end

-- Reports a cheep's record as it is now, or that it is gone, to all streams: each knows whether it shows the cheep.
local function report_record(entry)
  if not somebody_listens() then return end
  local record = redis.call('GET', record_key(entry)) or ''
  redis.call('PUBLISH', stem_of_streams .. STREAM.ALL, STREAM.RECORD .. entry .. record)
end
