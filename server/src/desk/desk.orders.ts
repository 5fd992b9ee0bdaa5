import { deskLimits } from '@zvonok/shared';
import type { OrderType } from './desk.tables.ts';

const signatures: readonly (readonly [OrderType, string])[] = [
  ['application/pdf', '255044462d'],
  ['image/jpeg', 'ffd8ff'],
  ['image/png', '89504e470d0a1a0a'],
];

const extensions: Readonly<Record<OrderType, string>> = {
  'application/pdf': 'pdf',
  'image/jpeg': 'jpg',
  'image/png': 'png',
};

/** What a file is by its first bytes, whatever it is called; undefined for anything that is not taken. */
export function orderTypeOf(bytes: Buffer): OrderType | undefined {
  const head = bytes.toString('hex', 0, 8);
  return signatures.find(([, signature]) => head.startsWith(signature))?.[0];
}

/** A name to show and to save under: letters, digits and few signs, with the extension of what the file is. */
export function safeFileName(name: string, type: OrderType): string {
  const stem = name
    .normalize('NFC')
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[^\p{L}\p{M}\p{N} _.,()№-]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .replace(/^[ .]+/, '')
    .slice(0, deskLimits.orderNameLength - 4)
    .trim();
  return `${stem === '' ? 'order' : stem}.${extensions[type]}`;
}
