"""``pacing`` as scripts that Redis runs, each at once and by Redis's clock. Moments are stored to the microsecond.

A bucket is a hash with the fields of ``Granted``, and with ``limit`` where one was learned.
"""

from __future__ import annotations

KEPT_SECONDS = 86_400
"""How long a bucket that nobody uses is remembered."""

_PRELUDE = f"""
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local function text(moment) return string.format('%.6f', moment) end
local function keep(key) redis.call('EXPIRE', key, {KEPT_SECONDS}) end
"""

RESERVE = (
    _PRELUDE
    + """
local width = (#ARGV - 4) / #KEYS
local patience, low, late, nearly = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])

local function next_place(taken_until, units, limit, seconds, share, burst)
  local own = units * seconds / (limit * share)
  local begin = math.max(tonumber(taken_until) or 0, now)
  return begin + own, math.max(0, begin - now - math.max(0, seconds * burst / share - own))
end

for position, key in ipairs(KEYS) do
  local given = {}
  for field = 1, width do given[field] = tonumber(ARGV[4 + (position - 1) * width + field]) end
  local units, got_at, due, limit, seconds = unpack(given, 1, 5)
  local known = redis.call('HMGET', key, 'common', 'reserved', 'gone', 'held_at', 'used', 'told_at', 'limit')
  local gone = tonumber(known[3]) or 0
  local even = given[7] == 0
  local fresh = math.max(0, 1 - (now - (tonumber(known[6]) or 0)) / seconds)
  units = units * (1 + math.max(0, (tonumber(known[5]) or 0) / nearly - 1) * fresh)
  limit = tonumber(known[7]) or limit
  local lane, taken, wait = 'common', nil, 0
  local own = units * seconds / (limit * given[6])
  local early = gone - now - math.max(0, seconds * given[7] / given[6] - own)
  if got_at > (tonumber(known[4]) or 0) and (even or early <= late) then
    if even then wait = math.max(0, early) end
    if even and wait == 0 then taken = tonumber(known[1]) + math.max(0, now - due) end
  else
    taken, wait = next_place(math.max(tonumber(known[1]) or 0, gone), units, limit, seconds, given[6], given[7])
    if wait > 0 and given[8] > 0 and not low then
      local other, other_wait = next_place(known[2], units, limit, seconds, given[8], given[9])
      if other_wait < wait then lane, taken, wait = 'reserved', other, other_wait end
    end
  end
  if wait > patience then return {position - 1, text(wait), text(now), 1} end
  if taken then redis.call('HSET', key, lane, text(taken)) end
  if lane == 'common' and wait == 0 then redis.call('HSET', key, 'gone', text(math.max(gone, now) + own)) end
  keep(key)
  if wait > 0 then return {position, text(wait), text(now), 0} end
end
return {#KEYS, '0', text(now), 0}
"""
)
"""Patience, 1 for low, ``LATE``, ``NEARLY``; then for each key its units, when its ticket was got and is due (or 0),
limit, seconds, share and burst of both lanes → count, wait, at, 1 for refused."""

HOLD = (
    _PRELUDE
    + """
local key, finish = KEYS[1], now + tonumber(ARGV[1])
local known = redis.call('HMGET', key, 'common', 'reserved')
redis.call('HSET', key,
  'common', text(math.max(tonumber(known[1]) or 0, finish + tonumber(ARGV[2]))),
  'reserved', text(math.max(tonumber(known[2]) or 0, finish + tonumber(ARGV[3]))),
  'held_at', text(now))
keep(key)
"""
)
"""Seconds, and those of both lanes' bursts."""

SLOW_DOWN = (
    _PRELUDE
    + """
local key = KEYS[1]
redis.call('HSET', key, 'used', ARGV[1], 'told_at', text(now))
keep(key)
"""
)
"""The used share of the limit."""

LEARN = (
    _PRELUDE
    + """
local key = KEYS[1]
redis.call('HSET', key, 'limit', ARGV[1])
keep(key)
"""
)
"""The limit's units."""
