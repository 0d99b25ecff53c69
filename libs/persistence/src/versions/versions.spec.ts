import { PlatformError } from '@gatehouse/contracts-platform';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Patch,
  UseFilters,
} from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Etag } from './etag.decorator.ts';
import { checkVersion } from './etag.ts';
import { IfMatch } from './if-match.decorator.ts';

@Catch(PlatformError)
class Codes implements ExceptionFilter {
  catch(error: PlatformError, host: ArgumentsHost) {
    const reply = host
      .switchToHttp()
      .getResponse<{ status(n: number): { send(body: unknown): void } }>();
    reply.status(400).send({ code: error.code });
  }
}

@Controller('thing')
@UseFilters(Codes)
class ThingController {
  @Get()
  @Etag()
  get() {
    return { version: 7 };
  }

  @Patch()
  @Etag()
  change(@IfMatch({ required: true }) expected: number | undefined) {
    checkVersion(expected, 7);
    return { version: 8 };
  }

  @Patch('lenient')
  lenient(@IfMatch() expected: number | undefined) {
    checkVersion(expected, 7);
    return {};
  }
}

describe('versions over HTTP', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ controllers: [ThingController] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    await app.init();
  });
  afterAll(() => app.close());

  const patch = async (url: string, ifMatch?: string) => {
    const headers = ifMatch === undefined ? {} : { 'if-match': ifMatch };
    const answer = await app.inject({ method: 'PATCH', url, headers });
    return answer.json<{ code?: string }>().code ?? answer.headers.etag ?? answer.statusCode;
  };

  it('come as ETag', async () => {
    expect((await app.inject('/thing')).headers.etag).toBe('"7"');
  });

  it('are checked by If-Match', async () => {
    expect(await patch('/thing', '"7"')).toBe('"8"');
    expect(await patch('/thing', '*')).toBe('"8"');
    expect(await patch('/thing', '"6"')).toBe('PRECONDITION_FAILED');
    expect(await patch('/thing', 'nonsense')).toBe('VALIDATION_FAILED');
  });

  it('are required where the route says so, and only there', async () => {
    expect(await patch('/thing')).toBe('PRECONDITION_REQUIRED');
    expect(await patch('/thing/lenient')).toBe(200);
  });
});
