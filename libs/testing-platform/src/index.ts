/** The platform as a fixture: `const platform = await startPlatform()`, and a client at its gateway. */
export { describePlatforms, type StartOnProfile } from './describe-platforms.ts';
export { Instance } from './instance.ts';
export { type EnginesWanted, type PlatformEngine } from './platform-engines.ts';
export { type Answer, TestClient, type TestClientOptions } from './test-client.ts';
export {
  type Login,
  type Query,
  type RegisteredUser,
  startPlatform,
  type StartPlatformOptions,
  TestPlatform,
} from './test-platform.ts';
