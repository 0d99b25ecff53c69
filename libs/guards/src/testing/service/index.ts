/** A whole service in the test's own process, with stand-ins for its peers. */
export {
  asCaller,
  type Answer,
  type Call,
  principalOf,
  ServiceInstance,
} from './service-instance.ts';
export { ServiceUnderTest, type ServiceUnderTestOptions } from './service-under-test.ts';
export { StandInState } from './stand-ins.ts';
