import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import type { Config } from './config.ts';

/** Whose word on where a request comes from is taken: a proxy's on this machine, where nobody else can reach the port. */
export const trustedProxy = ({ http }: Pick<Config, 'http'>) => (http.loopback ? 'loopback' : false);

/** Where a request came from, for limits and records: the subscriber's address. The same for calls over HTTP and sockets. */
export function createAddressOf(config: Pick<Config, 'http'>): (request: IncomingMessage) => string {
  const proxy = trustedProxy(config);
  const trusts = proxy === false ? () => false : proxyAddr.compile(proxy);
  return (request) => {
    // Whoever has gone already has none.
    const address: string | undefined = proxyAddr(request, trusts);
    return subscriberOf(address ?? '');
  };
}

/**
 * What stands for one subscriber where limits count by address: an IPv4 address as it is, of an IPv6 address its /64, in
 * which whoever has one address has them all. Anything else comes back unchanged.
 */
export function subscriberOf(address: string): string {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = [], tail = []] = plain
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  const network = [...head, ...zeros, ...tail]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
