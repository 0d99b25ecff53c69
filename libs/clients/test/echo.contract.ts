import { commonErrors, defineGrpcContract, PlatformError } from '@gatehouse/contracts-platform';

export interface EchoRequest {
  text?: string;
  count?: number;
}
export interface EchoResponse {
  text: string;
  server: string;
  number: number;
}
export interface EchoService {
  read(request: EchoRequest): Promise<EchoResponse>;
  put(request: EchoRequest): Promise<EchoResponse>;
  write(request: EchoRequest): Promise<EchoResponse>;
  watch(request: EchoRequest): AsyncIterable<EchoResponse>;
}

export class EchoLost extends PlatformError {
  static override readonly code = 'ECHO_LOST';
  static override readonly kind = 'not-found';
  static override readonly title = 'The echo is lost';
}

export const echoV1 = defineGrpcContract<EchoService>({
  package: 'gatehouse.echo.v1',
  service: 'echo',
  serviceName: 'EchoService',
  protoDir: new URL('./', import.meta.url),
  proto: 'echo.proto',
  errors: commonErrors.extend([EchoLost]),
});
