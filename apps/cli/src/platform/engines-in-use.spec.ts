import { enginesInUse } from './engines-in-use.ts';

describe('the engines in use', () => {
  it('are those whose address is given; PostgreSQL and memory for the rest', () => {
    const env = { KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092' };
    expect(enginesInUse(env, '127.0.0.1:5432/gatehouse')).toEqual([
      { need: 'Database', by: 'PostgreSQL at 127.0.0.1:5432/gatehouse' },
      { need: 'Events', by: 'Kafka at kafka-1:9092,kafka-2:9092' },
      { need: 'Registry', by: 'the same PostgreSQL (CONSUL_HTTP_ADDR is not set)' },
      { need: 'Cache, limits', by: 'memory of each process (REDIS_URL is not set)' },
    ]);
  });

  it('never show a credential', () => {
    const env = {
      CONSUL_HTTP_ADDR: 'http://127.0.0.1:8500',
      REDIS_URL: 'redis://admin:secret@redis.internal:6379/2',
      KAFKA_PASSWORD: 'secret',
    };
    const shown = enginesInUse(env, '').map(({ by }) => by);
    expect(shown).toContain('Consul at 127.0.0.1:8500');
    expect(shown).toContain('Redis at redis.internal:6379/2');
    expect(shown.join()).not.toContain('secret');
  });
});
