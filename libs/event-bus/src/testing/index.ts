/** The contract suites: of the broker's port, for every adapter, and of the whole bus over it. */
export type { BusEngine } from './bus/bus-engine.ts';
export { alphaEvents, effectsMigration } from './bus/orders.ts';
export {
  type BrokerEngine,
  eventBrokerContract,
  type OpenBroker,
} from './event-broker.contract.ts';
export { eventBusContract } from './event-bus.contract.ts';
