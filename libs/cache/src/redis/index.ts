/** The connection to Redis that the libraries of a process share. Nothing here loads the client before it connects. */
export * from './redis.config.ts';
export * from './redis-link.ts';
export * from './redis.metrics.ts';
export * from './redis.module.ts';
export * from './redis-script.ts';
export { addressOf, redisSettings, type RedisSettings } from './redis-settings.ts';
export { assertSpeaksRedis, socketOptions } from './redis-socket.ts';
export { refusalOf as redisRefusal } from './refusal.ts';
