import { RedisScript } from '../redis/redis-script.ts';

/*
 * What is kept of a key lies in two entries, and neither is ever read without the other:
 *
 * - its state, `{ id, generation, last, newest }`. `id` is new whenever a state is made, so an eviction is the state's
 *   deletion: tickets and values that name another id count for nothing, whatever becomes of their entries. `last` names
 *   the last put, `newest` the newest version put.
 * - its value, one for each format that releases of the service use at the same time: `{ id, put, version, bytes }`.
 *
 * Versions are texts here: cjson keeps 14 digits of a number.
 */

/**
 * KEYS generation, state. ARGV: a new generation, a new id, ms a ticket lives, ms a generation lives.
 * Returns the id of the key's state and its last put.
 */
export const OPEN = new RedisScript(`
local generation = redis.call('GET', KEYS[1])
if not generation then
  generation = '"' .. ARGV[1] .. '"'
  redis.call('SET', KEYS[1], generation)
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
generation = string.sub(generation, 2, -2)

local text = redis.call('GET', KEYS[2])
local state = text and cjson.decode(text)
if not state or state.generation ~= generation then
  state = { id = ARGV[2], generation = generation, last = '' }
  redis.call('SET', KEYS[2], cjson.encode(state), 'PX', ARGV[3])
elseif redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return { state.id, state.last }
`);

/**
 * KEYS generation, state, value. ARGV: the ticket's id, the last put it knows, this put's name, the version or nothing,
 * the value's entry, ms it lives, ms a ticket lives. Returns a PutOutcome.
 */
export const PUT = new RedisScript(`
local generation = redis.call('GET', KEYS[1])
local text = redis.call('GET', KEYS[2])
if not generation or not text then return 'evicted' end
local state = cjson.decode(text)
if state.id ~= ARGV[1] or '"' .. state.generation .. '"' ~= generation then return 'evicted' end

local overtaken = state.last ~= ARGV[2]
local version, newest = tonumber(ARGV[4]), tonumber(state.newest or '')
if not version then
  if overtaken then return 'superseded' end
elseif newest then
  if version < newest then return 'superseded' end
  if version == newest then
    local held = redis.call('GET', KEYS[3])
    if overtaken or (held and cjson.decode(held).version == version) then return 'superseded' end
  end
end

state.last = ARGV[3]
if version then state.newest = ARGV[4] end
local ttl = tonumber(ARGV[6])
redis.call('SET', KEYS[3], ARGV[5], 'PX', ttl)
local left = redis.call('PTTL', KEYS[2])
redis.call('SET', KEYS[2], cjson.encode(state), 'PX', math.max(left, ttl, tonumber(ARGV[7])))
return 'stored'
`);

/** KEYS state, value. ARGV: a version. What is as new, or newer, stays. */
export const EVICT_BEFORE = new RedisScript(`
local text = redis.call('GET', KEYS[1])
local newest = text and tonumber(cjson.decode(text).newest or '')
if not newest or newest < tonumber(ARGV[1]) then redis.call('DEL', KEYS[1], KEYS[2]) end
return 1
`);

/** KEYS claim. ARGV: the token it was taken with. */
export const RELEASE = new RedisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);
