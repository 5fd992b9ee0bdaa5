/** Letters that look alike in both scripts: a class that was typed on the wrong keyboard is the same class. */
const alike: Readonly<Record<string, string>> = {
  a: 'а',
  b: 'в',
  c: 'с',
  e: 'е',
  h: 'н',
  k: 'к',
  m: 'м',
  o: 'о',
  p: 'р',
  t: 'т',
  x: 'х',
  y: 'у',
};

/** A person's name as names are compared: composed, in lower case, ё as е, spaces collapsed. */
export const matchKeyOf = (fullName: string): string =>
  fullName.normalize('NFC').toLowerCase().replaceAll('ё', 'е').replaceAll(/\s+/gu, ' ').trim();

/** The name of a group as groups are compared: «7 б», «7-Б» and a 7B of Latin letters are 7Б. */
export const groupKeyOf = (name: string): string =>
  matchKeyOf(name)
    .replaceAll(/[\s-]+/gu, '')
    .replaceAll(/[a-z]/g, (letter) => alike[letter] ?? letter);

/** Whether two names may be one person's: all words of the shorter are in the other, and they are two at least. */
export function mayBeSamePerson(oneKey: string, otherKey: string): boolean {
  const [shorter, longer] = [oneKey.split(' '), otherKey.split(' ')].sort((a, b) => a.length - b.length);
  if (shorter === undefined || longer === undefined || shorter.length < 2) return false;
  return shorter.every((word) => longer.includes(word));
}
