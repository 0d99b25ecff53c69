/** One right of a Kafka user, in the words of Kafka's ACLs. */
export interface KafkaAccess {
  resource: 'TOPIC' | 'GROUP' | 'CLUSTER' | 'TRANSACTIONAL_ID';
  name: string;
  pattern: 'LITERAL' | 'PREFIXED';
  operation: 'READ' | 'WRITE' | 'CREATE' | 'DELETE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS';
}

/**
 * The least that a service needs: it makes and writes its own topics and nobody else's, reads all (who may be told what is
 * decided by who subscribes), and has its own groups. An idempotent producer needs no right beyond writing (KIP-679).
 */
export function accessOf(service: string): KafkaAccess[] {
  const own = { name: `${service}.`, pattern: 'PREFIXED' } as const;
  const all = { name: '*', pattern: 'LITERAL' } as const;
  return [
    ...(['WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS'] as const).map((operation) => ({
      resource: 'TOPIC' as const,
      ...own,
      operation,
    })),
    ...(['READ', 'DESCRIBE'] as const).map((operation) => ({
      resource: 'TOPIC' as const,
      ...all,
      operation,
    })),
    ...(['READ', 'DESCRIBE', 'DELETE'] as const).map((operation) => ({
      resource: 'GROUP' as const,
      ...own,
      operation,
    })),
  ];
}

export function isSameAccess(a: KafkaAccess, b: KafkaAccess): boolean {
  return keyOf(a) === keyOf(b);
}

/** The service whose user this right makes it: who writes `<name>.*` is the service of that name. */
export function ownerOf({ resource, name, pattern, operation }: KafkaAccess): string | undefined {
  const writes = resource === 'TOPIC' && pattern === 'PREFIXED' && operation === 'WRITE';
  return writes && name.endsWith('.') ? name.slice(0, -1) : undefined;
}

function keyOf({ resource, name, pattern, operation }: KafkaAccess): string {
  return [resource, pattern, name, operation].join(' ');
}
