-- The writes of writes.py: the form of each, the keys that it needs with their types, and its effect.
--
-- Needs  entry_from_hex, is_hex_entry and NAME of cheeper_contracts.views, key; pull_in, take_out,
--        is_short of timelines.lua; partition, cap, heads, wrong_type, usable, sees, await_refill, ON_TIMELINE, serve,
--        goes_inline, leave_task of readers.lua; STREAM of cheeper_contracts.views; report_own, report_change,
--        report_record of streams.lua
-- Gives  work, refusal, accept_rewrites, forget_rewrites, run_all
--
-- `check` never writes; it returns the reason why the write cannot be done, or nil. `run` cannot fail after a check.

local work = 0  -- the approximate number of entries that the checked writes will insert or remove

local function not_texts(write, count, others)
  local wanted = count + (others or 0)
  if #write ~= wanted + 1 then return write[1] .. ' has ' .. (#write - 1) .. ' arguments, not ' .. wanted end
  for place = 2, count + 1 do
    if type(write[place]) ~= 'string' then return write[1] .. ': argument ' .. (place - 1) .. ' is not a text' end
  end
end

local WRITES = {}

WRITES['field'] = {
  check = function(write)
    return not_texts(write, 3) or wrong_type(key(NAME.AUTHOR_COUNTERS, write[2]), 'hash')
  end,
  run = function(write)
    redis.call('HSET', key(NAME.AUTHOR_COUNTERS, write[2]), write[3], write[4])
  end,
}

local function cannot_change_member(write)
  return not_texts(write, 4)
    or wrong_type(key(write[2], write[3]), 'zset')
    or wrong_type(key(NAME.AUTHOR_COUNTERS, write[3]), 'hash')
end

WRITES['member'] = {
  check = cannot_change_member,
  run = function(write)
    if redis.call('ZADD', key(write[2], write[3]), 0, write[4]) == 1 then
      redis.call('HINCRBY', key(NAME.AUTHOR_COUNTERS, write[3]), write[5], 1)
    end
  end,
}

WRITES['no-member'] = {
  check = cannot_change_member,
  run = function(write)
    if redis.call('ZREM', key(write[2], write[3]), write[4]) == 1 then
      redis.call('HINCRBY', key(NAME.AUTHOR_COUNTERS, write[3]), write[5], -1)
    end
  end,
}

local function cannot_change_set(write)
  return not_texts(write, 3) or wrong_type(key(write[2], write[3]), 'zset')
end

WRITES['in-set'] = {
  check = cannot_change_set,
  run = function(write) redis.call('ZADD', key(write[2], write[3]), 0, write[4]) end,
}

WRITES['no-in-set'] = {
  check = cannot_change_set,
  run = function(write) redis.call('ZREM', key(write[2], write[3]), write[4]) end,
}

WRITES['text'] = {
  check = function(write)
    if type(write[5]) ~= 'number' then return 'text: no time to expire at' end
    return not_texts(write, 3, 1)
  end,
  run = function(write)
    if write[5] > 0 then
      redis.call('SET', key(write[2], write[3]), write[4], 'EXAT', string.format('%d', write[5]))
    else
      redis.call('SET', key(write[2], write[3]), write[4])
    end
  end,
}

WRITES['no-text'] = {
  check = function(write) return not_texts(write, 2) end,
  run = function(write) redis.call('DEL', key(write[2], write[3])) end,
}

local function cannot_change_own(write)
  if not is_hex_entry(write[3]) then return write[1] .. ': no entry in hex' end
  return not_texts(write, 3)
    or wrong_type(key(NAME.AUTHOR_CHEEPS, write[2]), 'zset')
    or wrong_type(key(NAME.AUTHOR_COUNTERS, write[2]), 'hash')
end

WRITES['own'] = {
  check = cannot_change_own,
  run = function(write)
    local entry = entry_from_hex(write[3])
    if redis.call('ZADD', key(NAME.AUTHOR_CHEEPS, write[2]), 0, entry) == 1 then
      redis.call('HINCRBY', key(NAME.AUTHOR_COUNTERS, write[2]), write[4], 1)
      report_own(write[2], entry)
    end
  end,
}

WRITES['no-own'] = {
  check = cannot_change_own,
  run = function(write)
    if redis.call('ZREM', key(NAME.AUTHOR_CHEEPS, write[2]), entry_from_hex(write[3])) == 1 then
      redis.call('HINCRBY', key(NAME.AUTHOR_COUNTERS, write[2]), write[4], -1)
    end
  end,
}

local function cannot_leave_work(author)
  return wrong_type(key(NAME.TASKS, author), 'list')
    or wrong_type(key(NAME.TASK_AUTHORS, partition), 'list')
    or wrong_type(key(NAME.SHORT_TIMELINES, partition), 'zset')
end

-- Readers' keys are not checked: a reader whose timeline is broken is left out, and the others are served.
WRITES['fan-out'] = {
  check = function(write)
    if not is_hex_entry(write[3]) then return 'fan-out: no entry in hex' end
    local followers = key(NAME.FOLLOWERS, write[2])
    local reason = not_texts(write, 4)
      or wrong_type(followers, 'zset')
      or wrong_type(key(NAME.MUTERS, write[2]), 'zset')
      or cannot_leave_work(write[2])
    if reason then return reason end
    if not ON_TIMELINE[write[5]] then return 'fan-out: no such kind: ' .. write[5] end
    local count = redis.call('ZCARD', followers)
    -- A removal searches the list up to the entry, which takes about twice as long.
    if goes_inline(count) then work = work + (write[5] == 'remove' and 2 or 1) * count end
  end,
  run = function(write, sequence)
    local followers = key(NAME.FOLLOWERS, write[2])
    local count = redis.call('ZCARD', followers)
    local last = ''
    if goes_inline(count) then
      local readers = redis.call('ZRANGE', followers, 0, count - 1)
      last = readers[serve(write[2], readers, {entry_from_hex(write[3])}, write[5])]
      if last == readers[count] then return end
    end
    if count > 0 then leave_task(write[2], write[3], write[5], write[4], sequence, last) end
  end,
}

-- A follow, an unfollow, a mute or its end rewrites a timeline, whose content depends only on who follows and mutes whom
-- in the end. So of all rewrites of one kind that a batch has for a pair of authors, the last one is done: to follow on and
-- off costs two, however often a batch has it. Each brings an author in only if the reader sees it at that moment.
local checked, last_rewrite, counted = {}, {}, {}

local function rewrite_of(write) return write[1] .. ' ' .. write[2] .. ' ' .. write[3] end

local function check_rewrite(write, entries)
  local name = rewrite_of(write)
  checked[#checked + 1] = write
  work = work + math.max(entries - (counted[name] or 0), 0)
  counted[name] = math.max(entries, counted[name] or 0)
end

-- Takes the rewrites of the messages checked so far as those that will be run.
local function accept_rewrites()
  for _, write in ipairs(checked) do last_rewrite[rewrite_of(write)] = write end
  checked = {}
end

-- Begins another batch: what the one before had is done.
local function forget_rewrites() checked, last_rewrite, counted = {}, {}, {} end

local function is_superseded(write) return last_rewrite[rewrite_of(write)] ~= write end

WRITES['pull-in'] = {
  check = function(write)
    local reason = not_texts(write, 2)
      or wrong_type(key(NAME.AUTHOR_CHEEPS, write[3]), 'zset')
      or wrong_type(key(NAME.FOLLOWING, write[2]), 'zset')
      or wrong_type(key(NAME.MUTED, write[2]), 'zset')
    if reason then return reason end
    check_rewrite(write, math.min(redis.call('ZCARD', key(NAME.AUTHOR_CHEEPS, write[3])) * 3, cap))
  end,
  run = function(write)
    if is_superseded(write) or not sees(write[2], write[3]) or not usable(write[2], write[3]) then return end
    heads[write[2]] = pull_in(write[2], write[3], cap)
    report_change(STREAM.FOLLOWED, write[2], write[3])
  end,
}

WRITES['take-out'] = {
  check = function(write)
    local reason = not_texts(write, 2) or cannot_leave_work(write[3])
    if reason then return reason end
    local list = key(NAME.TIMELINE, write[2])
    check_rewrite(write, wrong_type(list, 'list') and 0 or redis.call('LLEN', list))
  end,
  run = function(write)
    if is_superseded(write) or not usable(write[2], write[3]) then return end
    heads[write[2]] = take_out(write[2], write[3])
    if is_short(write[2], cap) then await_refill(write[2]) end
    report_change(STREAM.UNFOLLOWED, write[2], write[3])
  end,
}

WRITES['report-record'] = {
  check = function(write)
    if not is_hex_entry(write[2]) then return 'report-record: no entry in hex' end
    return not_texts(write, 1)
  end,
  run = function(write) report_record(entry_from_hex(write[2])) end,
}

WRITES['report-notifications'] = {
  check = function(write) return not_texts(write, 1) end,
  run = function(write) report_change(STREAM.NOTIFICATIONS, write[2], '') end,
}

-- Parks a message that cannot be applied, or that waits behind one of its key.
local function park(write, _, message_key)
  redis.call('RPUSH', key(NAME.PARKED, message_key), write[2])
  redis.call('SADD', key(NAME.PARKED_KEYS, partition), message_key)
end

local function cannot_park(write, message_key)
  return not_texts(write, 1)
    or wrong_type(key(NAME.PARKED, message_key), 'list')
    or wrong_type(key(NAME.PARKED_KEYS, partition), 'set')
end

WRITES['poison'] = {check = cannot_park, run = park}
WRITES['behind'] = {check = cannot_park, run = park}

-- Returns the reason why a message's writes cannot be done, or nil.
local function refusal(writes, message_key)
  for _, write in ipairs(writes) do
    local kind = WRITES[write[1]]
    if not kind then return 'no such write: ' .. tostring(write[1]) end
    local reason = kind.check(write, message_key)
    if reason then return reason end
  end
end

local function run_all(writes, sequence, message_key)
  for _, write in ipairs(writes) do
    WRITES[write[1]].run(write, sequence, message_key)
  end
end
