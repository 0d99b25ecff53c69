import { awaitPostgres } from './await-postgres.ts';

const url = 'postgres://orders_app:secret@db.internal/gatehouse';
const failing = (error: object) => () =>
  Promise.reject(Object.assign(new Error('it broke'), error));

describe('awaitPostgres', () => {
  it.each([
    [{ code: '28P01' }, 'the password in MIGRATOR_DATABASE_URL is refused'],
    [{ code: 'ENOTFOUND' }, 'the host in MIGRATOR_DATABASE_URL has no address'],
    [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'see DATABASE_TLS_CA'],
    [{ cause: { code: '3D000', message: '' } }, 'does not exist'],
    [{ errors: [{ code: 'ECONNREFUSED' }, { code: 'CERT_HAS_EXPIRED' }] }, 'is not trusted'],
  ])('does not wait where it fails with %j, and says what to look at', async (error, why) => {
    const options = { url, variable: 'MIGRATOR_DATABASE_URL', withinMs: 60_000 };
    await expect(awaitPostgres(failing(error), options)).rejects.toThrow(why);
  });

  it('never shows the password', async () => {
    const error = await awaitPostgres(failing({ code: 'ECONNREFUSED' }), { url }).catch(
      (thrown: unknown) => thrown as Error,
    );
    expect(String(error)).toContain('PostgreSQL does not answer at db.internal:5432/gatehouse');
    expect(String(error)).not.toContain('secret');
  });
});
