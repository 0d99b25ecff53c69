import process from 'node:process';
import { Postgres } from './postgres.js';
import { postgresWire } from './wire.js';

/** What the platform stands on: PostgreSQL of our own; in the scale profile the real Kafka, Consul and Redis besides. */
export class Ground {
  constructor(engines, postgres) {
    /** Those of the scale profile that are used; none: the embedded profile. */
    this.engines = engines;
    this.postgres = postgres;
  }

  static async prepare(engines) {
    const postgres = await Postgres.start();
    // Databases of the platforms are made on it.
    process.env.TEST_DATABASE_URL = postgres.url;
    return new Ground(engines, postgres);
  }

  /** Added to those of `startPlatform`. */
  get platformOptions() {
    return this.engines.length > 0 ? { engines: this.engines } : {};
  }

  /** @returns {Promise<import('./wire.js').Wire>} */
  async wireOf(platform) {
    if (!this.engines.includes('kafka')) return postgresWire(platform);
    const { kafkaWire } = await import('./kafka-wire.js');
    return kafkaWire(platform.engines.env.KAFKA_BROKERS.split(','));
  }

  async end() {
    await this.postgres.stop();
  }
}
