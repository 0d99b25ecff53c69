import { InvalidClient, InvalidRequest } from '@gatehouse/contracts-auth';

import type { TokenRequest } from './oauth.schemas.ts';

/** The client a token request names, and the secret it brings; without a secret it is a public one. */
export interface PresentedClient {
  id: string;
  secret?: string;
}

/**
 * RFC 6749 2.3.1: by HTTP Basic, or by parameters in the body, never both.
 * @throws InvalidClient where no client is named, or the header cannot be read
 * @throws InvalidRequest where there are two
 */
export function presentedClient(
  authorization: string | undefined,
  { client_id: id, client_secret: secret }: TokenRequest,
): PresentedClient {
  if (authorization === undefined) {
    if (id === undefined) throw new InvalidClient('No client is named.');
    return { id, ...(secret !== undefined && { secret }) };
  }
  const basic = fromBasic(authorization);
  if (secret !== undefined || (id !== undefined && id !== basic.id))
    throw new InvalidRequest('The client is named in two ways.');
  return basic;
}

function fromBasic(authorization: string): Required<PresentedClient> {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  if (encoded === undefined) throw new InvalidClient('The Authorization field is not Basic.');
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw new InvalidClient('The Authorization field has no secret.');
  return { id: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) };
}

/** Both halves are form-encoded before they are joined. */
function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new InvalidClient('The Authorization field cannot be read.');
  }
}
