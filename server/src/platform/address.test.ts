import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createAddressOf, subscriberOf } from './address.ts';
import { readConfig } from './config.ts';

describe('whom an address stands for', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1:2:3:4', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('%s is %s', (address, subscriber) => {
    expect(subscriberOf(address)).toBe(subscriber);
  });
});

describe('where a request came from', () => {
  const from = (remoteAddress: string | undefined, forwarded?: string) =>
    ({
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
      socket: { remoteAddress },
    }) as unknown as IncomingMessage;
  const behindProxy = createAddressOf(readConfig({}).config);
  const open = createAddressOf({ http: { ...readConfig({}).config.http, loopback: false } });

  it('is what a proxy on this machine says, of several the last that none of ours added', () => {
    expect(behindProxy(from('127.0.0.1', '203.0.113.7'))).toBe('203.0.113.7');
    expect(behindProxy(from('::ffff:127.0.0.1', '2001:db8:1:2::5'))).toBe('2001:db8:1:2::/64');
    expect(behindProxy(from('127.0.0.1', '198.51.100.1, 203.0.113.7'))).toBe('203.0.113.7');
    expect(behindProxy(from('127.0.0.1'))).toBe('127.0.0.1');
  });

  it('is the peer itself where anybody can connect, whatever they claim', () => {
    expect(open(from('198.51.100.9', '203.0.113.7'))).toBe('198.51.100.9');
    expect(behindProxy(from('198.51.100.9', '203.0.113.7'))).toBe('198.51.100.9');
    expect(open(from(undefined))).toBe('');
  });
});
