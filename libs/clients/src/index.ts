/** gRPC clients of other services: found through discovery, with deadlines, retries, credentials and typed errors. */
export type { CallHeaders, CallObserver, CallOptions, ClientOf } from './client.types.ts';
export { ClientsModule, clientToken, InjectClient } from './clients.module.ts';
export type { InstanceSource } from './discovery.resolver.ts';
export { createGrpcClient, type GrpcClient, type GrpcClientOptions } from './grpc-client.ts';
