/** What is wrong with the pages that the `type` of these codes names; nothing where each is there. */
export async function problemPageFaults(
  gatewayUrl: string,
  codes: Iterable<string>,
): Promise<string[]> {
  const checked = await Promise.all(
    [...codes].map(async (code) => {
      const type = `/problems/${code.toLowerCase().replaceAll('_', '-')}`;
      const answer = await fetch(new URL(type, gatewayUrl));
      const text = await answer.text();
      const isPage = answer.headers.get('content-type')?.startsWith('text/html') ?? false;
      return answer.status === 200 && isPage && text.includes(code)
        ? undefined
        : `${type}: ${answer.status}`;
    }),
  );
  return checked.filter((fault) => fault !== undefined);
}
