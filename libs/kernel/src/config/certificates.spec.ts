import { readFileSync } from 'node:fs';

import { certificateExpiries, noteCertificates } from './certificates.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../test/fixtures/certificates/${name}.pem`, import.meta.url), 'utf8');

it('notes the certificate of a bundle that expires first', () => {
  noteCertificates({ ORDERS_TLS_CA: `${fixture('later')}\n${fixture('sooner')}` });
  expect(certificateExpiries().get('ORDERS_TLS_CA')).toBe(
    Date.parse('2036-11-20T12:59:27Z') / 1000,
  );
});

it('passes over what holds no certificate, or none that can be read', () => {
  noteCertificates({
    ORDERS_URL: 'https://orders.example',
    ORDERS_PORT: 8080,
    ORDERS_TLS_KEY: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
    ORDERS_TLS_CERT: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
  });
  expect([...certificateExpiries().keys()]).toEqual(['ORDERS_TLS_CA']);
});
