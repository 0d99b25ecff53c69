import { Logger } from 'nestjs-pino';

/** What Nest tells about its own making: one line a module and a route at every start. */
const MAKING = new Set(['InstanceLoader', 'RouterExplorer', 'RoutesResolver', 'NestFactory']);

/** nestjs-pino's logger for Nest, with Nest's inventory at level debug. */
export class ServiceLogger extends Logger {
  override log(message: unknown, ...optional: unknown[]): void {
    if (MAKING.has(String(optional.at(-1)))) super.debug(message, ...(optional as []));
    else super.log(message, ...(optional as []));
  }
}
