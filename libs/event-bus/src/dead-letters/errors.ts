import { PlatformError } from '@gatehouse/contracts-platform';

export class DeadLetterNotFound extends PlatformError {
  static override readonly code = 'DEAD_LETTER_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such dead letter';
}
