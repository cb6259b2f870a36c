"""The arithmetic of `core.upstream_counts` as a script, which Redis runs in one step.

A test holds both to the same answers.
"""

# As `core.upstream_counts` has it, by the same names; absent is None. A number comes
# back as text: Redis would cut it to a whole one.
SETTLE = """
local MINUTE, SPAN, SKEW = 60, 61, 2
local now_of_all = tonumber(ARGV[1])
if not now_of_all then
  local told = redis.call('TIME')
  now_of_all = tonumber(told[1]) + tonumber(told[2]) / 1000000
end

local function text_of(number) return string.format('%.17g', number) end
local function key_of(second) return string.format('%d', second) end

local function newest_of(...)
  local newest = 0
  for _, buckets in ipairs({...}) do
    for second in pairs(buckets) do newest = math.max(newest, tonumber(second)) end
  end
  return newest
end

local function sum_of(buckets)
  local sum = 0
  for _, count in pairs(buckets) do sum = sum + count end
  return sum
end

local function latest_of(seats)
  local latest = 0
  for _, ends in pairs(seats) do latest = math.max(latest, ends) end
  return latest
end

local function soonest_of(seats)
  local soonest, count = math.huge, 0
  for _, ends in pairs(seats) do
    soonest, count = math.min(soonest, ends), count + 1
  end
  return soonest, count
end

local function ends_at(counts)
  local newest = newest_of(counts.requests, counts.tokens)
  local ends = 0
  if newest > 0 then ends = newest + SPAN + 1 end
  return math.max(ends, latest_of(counts.seats), latest_of(counts.probes))
end

local function fresh(buckets, oldest, back)
  local kept = {}
  for second, count in pairs(buckets) do
    local at = tonumber(second) - back
    if at >= oldest then kept[key_of(at)] = count end
  end
  return kept
end

local function held(seats, now, most)
  local kept, latest = {}, math.ceil(now) + most
  for seat, ends in pairs(seats) do
    if ends > now then kept[seat] = math.min(ends, latest) end
  end
  return kept
end

local function moved(counts, wanted, now)
  local ahead = newest_of(counts.requests, counts.tokens) - math.floor(now)
  if ahead > 0 and ahead <= SKEW then
    now, ahead = math.floor(now) + ahead, 0
  end
  local oldest, back = math.floor(now) - SPAN, math.max(0, ahead)
  local probe_seconds = wanted.probe_seconds
  if probe_seconds == 0 then probe_seconds = MINUTE end
  return {
    requests = fresh(counts.requests, oldest, back),
    tokens = fresh(counts.tokens, oldest, back),
    seats = held(counts.seats, now, wanted.seat_seconds),
    probes = held(counts.probes, now, probe_seconds),
  }, now
end

local function room_in(buckets, amount, limit, now)
  if not limit then return 0 end
  local surplus = sum_of(buckets) + amount - limit
  if surplus <= 0 then return 0 end
  local seconds = {}
  for second in pairs(buckets) do seconds[#seconds + 1] = tonumber(second) end
  table.sort(seconds)
  for _, second in ipairs(seconds) do
    surplus = surplus - buckets[key_of(second)]
    if surplus <= 0 then return second + 1 + SPAN - now end
  end
  return SPAN + 1
end

local function plus(buckets, amount, second)
  local key = key_of(second)
  buckets[key] = (buckets[key] or 0) + amount
end

local function free(buckets, limit)
  if not limit then return 1 end
  return math.max(0, 1 - sum_of(buckets) / limit)
end

local function refusal(counts, wanted, now)
  if wanted.probe_seconds > 0 and next(counts.probes) then
    local left = latest_of(counts.probes) - now
    return {'probed', text_of(left), text_of(left)}
  end
  local for_any = room_in(counts.requests, 1, wanted.requests_per_minute, now)
  local for_tokens =
    room_in(counts.tokens, wanted.tokens, wanted.tokens_per_minute, now)
  local seconds = math.max(for_any, for_tokens)
  if seconds > 0 then return {'limited', text_of(seconds), text_of(for_any)} end
  local soonest, count = soonest_of(counts.seats)
  if wanted.concurrent_requests and count >= wanted.concurrent_requests then
    return {'busy', text_of(soonest - now), text_of(soonest - now)}
  end
end

local function take(counts, wanted, now)
  counts, now = moved(counts, wanted, now)
  local refused = refusal(counts, wanted, now)
  if refused then return counts, refused, false end
  local second = math.floor(now)
  if wanted.requests_per_minute then plus(counts.requests, 1, second) end
  if wanted.tokens_per_minute then plus(counts.tokens, wanted.tokens, second) end
  if wanted.concurrent_requests then
    counts.seats[wanted.seat] = second + wanted.seat_seconds
  end
  if wanted.probe_seconds > 0 then
    counts.probes = {[wanted.seat] = second + wanted.probe_seconds}
  end
  local headroom = math.min(
    free(counts.requests, wanted.requests_per_minute),
    free(counts.tokens, wanted.tokens_per_minute))
  return counts, {'taken', text_of(second), text_of(headroom)}, true
end

local function give(counts, given, now)
  local tokens, more = counts.tokens, given.more_tokens
  local reserved = tokens[key_of(given.second)]
  if more > 0 then
    plus(tokens, more, math.max(math.floor(now), newest_of(tokens)))
  elseif more < 0 and reserved then
    tokens[key_of(given.second)] = math.max(0, reserved + more)
  end
  counts.seats[given.seat] = nil
  counts.probes[given.seat] = nil
  return counts, {'given'}, true
end

local function found(key)
  local text = redis.call('GET', key)
  local is_read, counts = pcall(cjson.decode, text or '')
  if is_read and type(counts) == 'table' and counts.probes then
    return counts, true
  end
  return {requests = {}, tokens = {}, seats = {}, probes = {}}, false
end

local answers = {}
for number, key in ipairs(KEYS) do
  local what = cjson.decode(ARGV[number + 1])
  local counts, is_known = found(key)
  local act, answer, is_changed = take, nil, false
  if what.more_tokens then act = give end
  counts, answer, is_changed = act(counts, what, now_of_all)
  local body = cjson.encode(counts)
  if is_changed and (is_known or act == take) then
    local left = math.ceil(ends_at(counts) - now_of_all) + 1
    redis.call('SET', key, body, 'EX', math.max(MINUTE, left))
  end
  answers[number] = {body, text_of(now_of_all), unpack(answer)}
end
return answers
"""
