import type { NoticeKind } from '@zvonok/shared';
import unhomoglyph from 'unhomoglyph';

/** Skeletons of letters after the confusables of Unicode (UTS 39), remembered: the table is long, and names use few of it. */
const skeletons = new Map<string, string>();

function skeletonOfLetter(letter: string): string {
  let skeleton = skeletons.get(letter);
  if (skeleton === undefined) {
    skeleton = unhomoglyph(letter);
    skeletons.set(letter, skeleton);
  }
  return skeleton;
}

/** What a name looks like: marks dropped (ё as е), each letter as the one that it could be taken for. */
const skeletonOf = (text: string): string =>
  [...text.normalize('NFKD').replaceAll(/\p{M}/gu, '')].map(skeletonOfLetter).join('');

/** As it is written, in capitals and in small letters: Н and H are alike, н and h are not. */
const looksOf = (text: string): readonly string[] =>
  [text, text.toUpperCase(), text.toLowerCase()].map(skeletonOf);

const looksLike = (one: string, other: string): boolean => {
  const looks = looksOf(other);
  return looksOf(one).some((look, index) => look === looks[index]);
};

const wordsOf = (name: string): string[] =>
  name
    .normalize('NFC')
    .split(/[^\p{L}\p{M}]+/u)
    .filter((word) => word !== '');

const spellingOf = (word: string): string => word.toLowerCase().replaceAll('ё', 'е');

/**
 * Whether somebody could be taken for somebody else by their names: `sameName` where the words are the same (in any order
 * and case, ё as е, a patronymic left out), `lookAlikeName` where they only look so. Undefined for different names.
 */
export function likenessOf(
  name: string,
  original: string,
): Extract<NoticeKind, 'sameName' | 'lookAlikeName'> | undefined {
  const [one, other] = [wordsOf(name), wordsOf(original)];
  const [shorter, longer] = one.length <= other.length ? [one, other] : [other, one];
  const enough = shorter.length >= Math.min(2, longer.length);
  const covers = (same: (word: string, another: string) => boolean) =>
    enough && shorter.every((word) => longer.some((another) => same(word, another)));
  if (covers((word, another) => spellingOf(word) === spellingOf(another))) return 'sameName';
  if (covers(looksLike)) return 'lookAlikeName';
  // Spaces in other places.
  return looksLike(one.join(''), other.join('')) ? 'lookAlikeName' : undefined;
}
