import type { Finding } from '@gatehouse/kernel';
import { openKafka } from '../kafka/provision-kafka.ts';
import type { enginesOfEnvironment } from '../provision.config.ts';

type Engines = Pick<ReturnType<typeof enginesOfEnvironment>, 'kafka'>;

/**
 * Asks each broker of KAFKA_BROKERS by itself: where one is gone clients go on with the others, and nobody hears of it until
 * the next is gone too. Nothing to say of a single one, which `examineEngines` asks.
 */
export async function examineBrokers({ kafka }: Engines): Promise<Finding[]> {
  const brokers = kafka?.KAFKA_BROKERS ?? [];
  if (kafka === undefined || brokers.length < 2) return [];
  return Promise.all(
    brokers.map(async (broker): Promise<Finding> => {
      try {
        await (await openKafka(kafka, 0, [broker])).close();
        return { state: 'ok', what: `Kafka's broker ${broker} answers` };
      } catch {
        return {
          state: 'warning',
          what: `Kafka's broker ${broker} does not answer`,
          mend: 'start that broker, or take it out of KAFKA_BROKERS',
        };
      }
    }),
  );
}
