import { CodedError } from '@zvonok/shared/errors.ts';

/** A name of a school, group or subject, or another line, as it is stored: «7Б» has one spelling. */
export const normaliseLabel = (typed: string): string =>
  typed.normalize('NFC').replaceAll(/\s+/gu, ' ').trim();

/** Words of one person's name in one script each: an «Ивaнова» with a Latin letter is somebody else. */
const oneScript = [/^[\p{Script=Cyrillic}\p{M}]+$/u, /^[\p{Script=Latin}\p{M}]+$/u];

/**
 * A name as it is stored: composed, spaces collapsed.
 *
 * @throws CodedError VALIDATION where a word mixes letters of several scripts
 */
export function normaliseFullName(typed: string): string {
  const name = typed.normalize('NFC').replaceAll(/\s+/gu, ' ').trim();
  const mixed = name
    .split(/[^\p{L}\p{M}]+/u)
    .some(
      (word) =>
        /[\p{Script=Cyrillic}\p{Script=Latin}]/u.test(word) && !oneScript.some((script) => script.test(word)),
    );
  if (mixed || name.length < 2) {
    throw new CodedError('VALIDATION', { message: '/fullName: a word mixes letters that only look alike' });
  }
  return name;
}
