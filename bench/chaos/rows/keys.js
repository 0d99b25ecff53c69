import { eventually } from '@gatehouse/testing';

export const keys = [
  {
    name: 'key-rotated',
    title: 'a signing key is rotated under load',
    criterion: 'no 401',
    async run(stage) {
      const { platform } = await stage.open({
        // Keys change hands in seconds instead of minutes.
        env: { AUTH_SIGNING_KEY_LEAD_SECONDS: '4', KEY_SET_REFRESH_SECONDS: '1' },
      });
      const { email, password } = platform.administrator;
      const first = await platform.login(email, password);
      await stage.underLoad(async () => {
        const from = performance.now();
        await platform.run('auth', 'rotate-keys');
        const rotated = async () => {
          const login = await stage.load.send('login', platform.client(), {
            method: 'POST',
            path: '/v1/auth/login',
            body: { email, password },
          });
          if (!login.ok) return false;
          // At once, at the edge and in the service: neither may know the key later than Auth signs with it.
          const client = platform.client().as(login.body.access_token);
          await stage.load.send('read with a new token', client, { path: '/v1/users/me' });
          await stage.load.send('read with a new token', client, { path: '/v1/auth/sessions' });
          return kidOf(login.body.access_token) !== kidOf(first.accessToken);
        };
        await eventually(rotated, { timeoutMs: 60_000, intervalMs: 250 });
        for (let n = 0; n < 10; n++) await rotated();
        const old = await first.client.get('/v1/users/me');
        stage.expect('a token of the old key still passes', old.status === 200, String(old.status));
        stage.faultEnds();
        await stage.untilSteady(1_000);
        const refused = stage.samplesFrom(from).filter(({ status }) => status === 401);
        stage.expect('no 401', refused.length === 0, `${refused.length}`);
      });
    },
  },
];

function kidOf(token) {
  return JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString()).kid;
}
