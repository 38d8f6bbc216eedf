"""The two forms of the limiter, as scripts that Redis runs atomically and on its own clock.

Both take the key, and as arguments the limit, the window in microseconds and the cost (1 counts a call, 0 only
looks). Both return {allowed, calls used, now, the time of reset}, times in microseconds since 1970.
"Reset" of a call that passes is when the oldest counted call leaves the window, of a refused one
when the next call would pass; the two are the same unless a limit was lowered meanwhile.
"""

from __future__ import annotations

from helios_site.api.redis_calls import Script

# A sorted set with one member for each counted call, scored by its time.
EXACT = Script(
    """
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local used = redis.call('ZCARD', KEYS[1])
local allowed = used + 1 <= limit
if allowed and cost == 1 then
    local at = now
    while redis.call('ZADD', KEYS[1], 'NX', at, string.format('%d', at)) == 0 do at = at + 1 end
    redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000) + 1000)
    used = used + 1
end
local leaving = redis.call('ZRANGE', KEYS[1], allowed and 0 or used - limit, allowed and 0 or used - limit)
local reset = (leaving[1] and tonumber(leaving[1]) or now) + window
return {allowed and 1 or 0, used, now, reset}
"""
)

# A hash with the count of each 1/64 of the window: memory does not grow with the limit. The calls of a slot leave
# together, when the last of them may: never more than the limit in any window, at most 1/64 of it too strict.
SLOTTED = Script(
    """
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local width = math.floor(window / 64)
local slot = math.floor(now / width)
local stored = redis.call('HMGET', KEYS[1], 'used', 'first')
local used, first = tonumber(stored[1]) or 0, tonumber(stored[2]) or slot
while first <= slot - 65 do
    local count = redis.call('HGET', KEYS[1], string.format('%d', first))
    if count then
        used = used - tonumber(count)
        redis.call('HDEL', KEYS[1], string.format('%d', first))
    end
    first = first + 1
end
local allowed = used + 1 <= limit
if allowed and cost == 1 then
    redis.call('HINCRBY', KEYS[1], string.format('%d', slot), 1)
    used = used + 1
end
redis.call('HSET', KEYS[1], 'used', string.format('%d', used), 'first', string.format('%d', first))
redis.call('PEXPIRE', KEYS[1], math.ceil((window + width) / 1000) + 1000)
local leaving, freed, needed = first, 0, allowed and 1 or used - limit + 1
while leaving < slot do
    freed = freed + (tonumber(redis.call('HGET', KEYS[1], string.format('%d', leaving))) or 0)
    if freed >= needed then break end
    leaving = leaving + 1
end
return {allowed and 1 or 0, used, now, (leaving + 65) * width}
"""
)
