import type { TokensView } from '../../src/auth.schemas.ts';
import { Register } from '../../src/registration/commands/register.ts';
import { LogIn } from '../../src/sessions/commands/log-in.ts';
import type { AuthInstance } from './auth-platform.ts';

export interface Person {
  email: string;
  password: string;
}

export const ANN: Person = { email: 'ann@example.com', password: 'correct horse battery staple' };

export const HOME = { ip: '203.0.113.1', userAgent: 'a test' };

/** Each test has people of its own. */
export function somebody(): Person {
  const name = Math.random().toString(36).slice(2);
  return { email: `${name}@example.com`, password: 'purple monkey dishwasher' };
}

export function register(auth: AuthInstance, person: Person, ip = HOME.ip): Promise<void> {
  return auth.execute(new Register(person, { ...HOME, ip }), ip);
}

export function logIn(auth: AuthInstance, person: Person, ip = HOME.ip): Promise<TokensView> {
  return auth.execute(new LogIn(person, { ...HOME, ip }), ip);
}
