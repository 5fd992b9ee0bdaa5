/** «K7QM-3XPA»: eight signs in a row are hard to read aloud. */
export const shownJoinCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;

/** Letters of a Russian keyboard that look like those of a code. */
const alike: Readonly<Record<string, string>> = {
  А: 'A',
  В: 'B',
  Е: 'E',
  К: 'K',
  М: 'M',
  Н: 'H',
  Р: 'P',
  С: 'C',
  Т: 'T',
  У: 'Y',
  Х: 'X',
};

/** A code as it is sent, whatever keyboard and case it was typed on. */
export const typedJoinCode = (typed: string): string =>
  typed
    .toUpperCase()
    .replaceAll(/[А-Я]/g, (letter) => alike[letter] ?? '')
    .replaceAll(/[^0-9A-Z]/g, '');
