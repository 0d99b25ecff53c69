import type { TestPlatform } from '@gatehouse/testing-platform';
import { randomAddress } from '../support/addresses.ts';
import { Administrators } from '../support/administrators.ts';
import { businessRows } from '../support/business-rows.ts';
import { ApiDocument } from '../support/openapi/api-document.ts';
import type { BadRequest } from '../support/openapi/bad-request.ts';
import { badRequestsFor } from '../support/openapi/bad-requests.ts';
import { samplePath } from '../support/openapi/bad-targets.ts';
import { documentFaults } from '../support/openapi/document-faults.ts';
import { faultsOf, problemIn } from '../support/openapi/refusal.ts';
import { Wire } from '../support/openapi/wire.ts';
import { forgedPages, listsOf } from '../support/page-tokens.ts';
import { problemPageFaults } from '../support/problem-pages.ts';

/** So many that a route which counts each principal lets them send all that is sent to one route. */
const ADMINISTRATORS = 12;
const IN_PARALLEL = 12;

export function badInput(shared: () => TestPlatform): void {
  let platform: TestPlatform;
  let wire: Wire;
  let document: ApiDocument;
  let administrators: Administrators;
  const codes = new Set<string>();

  beforeAll(async () => {
    platform = shared();
    wire = new Wire(platform.gatewayUrl);
    document = await ApiDocument.read(platform.gatewayUrl);
    administrators = await Administrators.make(platform, ADMINISTRATORS);
  });
  afterAll(() => wire.close());

  const credentials = () => ({
    authorization: `Bearer ${administrators.nextToken}`,
    'x-forwarded-for': randomAddress(),
  });

  /** @returns a line for each request whose answer is not as promised */
  async function sendAll(requests: readonly BadRequest[]): Promise<string[]> {
    const found: string[] = [];
    const left = [...requests];
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const headers = { ...next.headers, ...credentials() };
        const answer = await wire.send({ ...next, headers });
        const faults = faultsOf(next, answer);
        const code = problemIn(answer)?.code;
        if (code !== undefined) codes.add(code);
        if (faults.length > 0) {
          found.push(`${next.name}: ${faults.join(', ')}: ${answer.text.slice(0, 300)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: IN_PARALLEL }, worker));
    return found;
  }

  describe('the merged OpenAPI document', () => {
    it('is valid, whole, and says of each operation who may call it and how it fails', async () => {
      expect(await documentFaults(document)).toEqual([]);
    });

    it('describes all that the gateway serves, and nothing else', async () => {
      const answer = await fetch(`${platform.adminUrlOf('gateway')}/routes`);
      const { services } = (await answer.json()) as {
        services: { versions: { routes: { method: string; path: string }[] }[] }[];
      };
      const served = services.flatMap(({ versions }) =>
        versions.flatMap(({ routes }) => routes.map(({ method, path }) => `${method} ${path}`)),
      );
      const own = ['GET', 'PUT', 'DELETE'].map((method) => `${method} /v1/gateway/log-level`);
      expect(document.operations.map(({ name }) => name).sort()).toEqual(
        [...served, ...own].sort(),
      );
    });
  });

  describe('bad input on every route of the document', () => {
    it('is refused as a problem that names it, and changes nothing', async () => {
      const before = await businessRows(platform);
      const requests = document.operations.map((each) => badRequestsFor(document, each));
      expect(requests.filter((each) => each.length === 0)).toEqual([]);

      expect(await sendAll(requests.flat())).toEqual([]);
      expect(await businessRows(platform)).toEqual(before);
    });

    it('is refused where it is a page token that the list did not give', async () => {
      const pages = await Promise.all(
        listsOf(document).map(async (list) => {
          const target = `${samplePath(document, list)}?page_size=1`;
          const answer = await wire.send({ method: 'GET', target, headers: credentials() });
          expect([list.name, answer.status]).toEqual([list.name, 200]);
          const { next_page_token: token } = JSON.parse(answer.text) as {
            next_page_token?: string;
          };
          return { list, token };
        }),
      );
      const given = pages.flatMap(({ list, token }) => (token ? [{ list, token }] : []));
      expect(given.length).toBeGreaterThanOrEqual(4);

      const targets = given.flatMap(({ list, token }) => [
        ...forgedPages(document, list, token),
        ...given
          .filter((other) => other.list !== list)
          .map((other) => `${samplePath(document, list)}?page_size=1&page_token=${other.token}`),
      ]);
      const requests = targets.map((target) => ({
        name: target,
        operation: target,
        method: 'GET',
        target,
        headers: {},
        statuses: [400],
      }));
      expect(await sendAll(requests)).toEqual([]);
      expect(codes).toContain('INVALID_PAGE_TOKEN');
    });

    it('has a page for every code that it was answered with', async () => {
      expect(codes.size).toBeGreaterThan(5);
      expect(await problemPageFaults(platform.gatewayUrl, codes)).toEqual([]);
    });

    it('leaves no error of the platform in any log', () => {
      const services = ['auth', 'identity', 'authz', 'audit', 'gateway'];
      const errors = services.flatMap((service) =>
        platform
          .logsOf(service)
          .split('\n')
          .filter((line) => /"level":"?(error|fatal|50|60)/.test(line)),
      );
      expect(errors).toEqual([]);
    });
  });
}
