import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditActions, errorCatalogue, settingNames } from '@zvonok/client-sdk';
import { expect, it } from 'vitest';
import { en } from './en.ts';
import { ru } from './ru.ts';

type Words = { readonly [key: string]: string | Words };

/** Every leaf: `chat.send` -> its words. */
function leaves(words: Words, prefix = ''): [string, string][] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string'
      ? [[prefix + key, value] as [string, string]]
      : leaves(value, `${prefix}${key}.`),
  );
}

const plural = /_(zero|one|two|few|many|other)$/;
const russian = new Map(leaves(ru));
const english = new Map(leaves(en));
const baseKeys = (words: ReadonlyMap<string, string>) =>
  new Set([...words.keys()].map((key) => key.replace(plural, '')));

const sourceDir = join(import.meta.dirname, '..');
const source = readdirSync(sourceDir, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.includes('.test.') && !name.startsWith('locales'))
  .map((name) => readFileSync(join(sourceDir, name), 'utf8'))
  .join('\n');

it('has the same keys in both languages', () => {
  expect([...baseKeys(english)].sort()).toEqual([...baseKeys(russian)].sort());
});

it('has every plural form that the language needs', () => {
  for (const [language, words] of [
    ['ru', russian],
    ['en', english],
  ] as const) {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const key of new Set(
      [...words.keys()].filter((each) => plural.test(each)).map((k) => k.replace(plural, '')),
    )) {
      for (const category of needed) expect([...words.keys()], language).toContain(`${key}_${category}`);
    }
  }
});

it('fills the same blanks in both languages', () => {
  const blanks = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();
  for (const [key, words] of english) expect(blanks(words), key).toEqual(blanks(russian.get(key) ?? ''));
});

it('leaves no blank empty: what has one is never said without what fills it', () => {
  // t('a.b'), t(one ? 'a.b' : 'a.c') and t(`a.b.${x}`): calls that fill nothing in.
  const bare = [...source.matchAll(/\bt\(([^(),]*)\)/g)].map((match) => match[1] ?? '');
  const said = new Set(
    bare.flatMap((call) => [...call.matchAll(/'([a-z][\w.]+)'/gi)].map((match) => match[1] ?? '')),
  );
  const families = bare.flatMap((call) =>
    [...call.matchAll(/`(\w+(?:\.\w+)+\.)\$\{[^}]*\}`/g)].map((match) => match[1] ?? ''),
  );
  expect([said.size > 500, families.length > 20]).toEqual([true, true]);
  const blank = [...russian]
    .filter(([, text]) => text.includes('{{'))
    .map(([key]) => key.replace(plural, ''));
  expect(blank.filter((key) => said.has(key))).toEqual([]);
  expect(blank.filter((key) => families.some((start) => key.startsWith(start)))).toEqual([]);
});

it('says nothing twice over: no empty words, no Russian left in English', () => {
  for (const [key, words] of [...russian, ...english]) expect(words.trim(), key).not.toBe('');
  for (const [key, words] of english) expect(words, key).not.toMatch(/[а-яё]/i);
});

it('has words with a next step for every error code', () => {
  for (const words of [russian, english]) {
    for (const code of Object.keys(errorCatalogue)) {
      const told = words.get(`errors.${code}`) ?? '';
      // What happened, and what to do: at least two clauses.
      expect(told.split(/[.;:,]\s|\sand\s|\sи\s/).length, `errors.${code}: ${told}`).toBeGreaterThan(1);
    }
  }
});

it('uses every key and misses none', () => {
  const keys = baseKeys(russian);
  // 'a.b' anywhere in the source, and `a.${x}.b` as a pattern: a key counts as used when one of them fits it.
  const literal = new Set([...source.matchAll(/'([a-z]\w*(?:\.\w+)+)'/gi)].map((match) => match[1] ?? ''));
  const patterns = [...source.matchAll(/`([a-z]\w*\.[^`\s]*\$\{[^`]*)`/gi)].map(
    (match) =>
      new RegExp(
        `^${(match[1] ?? '').replace(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, '[\\w.]+').replaceAll('.$', '\\.')}$`,
      ),
  );
  const unused = [...keys].filter(
    (key) => !literal.has(key) && !patterns.some((pattern) => pattern.test(key)),
  );
  // Roles and kinds are looked up by the contract's own words.
  const byContract = /^(words\.(school|college|kindergarten)\.(pupil|teacher|guardian))$/;
  expect(unused.filter((key) => !byContract.test(key))).toEqual([]);

  const called = [...source.matchAll(/\bt\(\s*'([\w.]+)'/g)].map((match) => match[1] ?? '');
  expect(called.length).toBeGreaterThan(100);
  expect(called.filter((key) => !keys.has(key))).toEqual([]);
});

/** What every kind of school reads is in words that fit each. These alone need not be, for a reason. */
const ofOneKind: readonly (readonly [start: string, why: string])[] = [
  ['words.', 'the vocabularies themselves'],
  ['app.tagline', 'said before anybody knows whose words to use; «школа» stands for all three'],
  ['signIn.noSchool', 'the same'],
  ['apply.', 'the same: the form asks first of all which of the three it is'],
  ['operator.', 'an operator looks after all three, and calls them schools'],
];
/** Words that fit one kind of organisation alone; «класс» and the like come from `words.<vocabulary>`. */
const partial = {
  ru: /(?<![а-яё])(класс|школ|учени[кц]|учител|урок|колледж|куратор|преподавател|воспита|детск(ий|ого|ом) сад)/i,
  en: /\b(class(es)?|school|pupils?|students?|lessons?|teachers?|college|lecturers?|tutors?|kindergarten|educators?)\b/i,
};

it('says no word that fits a school, a college or a kindergarten alone', () => {
  for (const [language, words] of [
    ['ru', russian],
    ['en', english],
  ] as const) {
    const partials = [...words]
      .filter(([, text]) => partial[language].test(text.replace(/\{\{\w+\}\}/g, '')))
      .map(([key]) => key);
    expect(
      partials.filter((key) => !ofOneKind.some(([start]) => key.startsWith(start))),
      language,
    ).toEqual([]);
    // An exception that nothing needs any more goes.
    const needless = ofOneKind.filter(([start]) => !partials.some((key) => key.startsWith(start)));
    expect(language === 'ru' ? needless : []).toEqual([]);
  }
});

it('gives every vocabulary the same words, none of them another’s', () => {
  for (const words of [russian, english]) {
    const of = (vocabulary: string) =>
      new Map(
        [...words]
          .filter(([key]) => key.startsWith(`words.${vocabulary}.`))
          .map(([key, text]) => [key.slice(`words.${vocabulary}.`.length), text]),
      );
    const [school, college, kindergarten] = ['school', 'college', 'kindergarten'].map(of);
    expect([...(college?.keys() ?? [])]).toEqual([...(school?.keys() ?? [])]);
    expect([...(kindergarten?.keys() ?? [])]).toEqual([...(school?.keys() ?? [])]);
  }
  for (const [key, text] of russian) {
    if (/^words\.(college|kindergarten)\./.test(key))
      expect(text, key).not.toMatch(/класс|школ(?!ьн)|ученик|учител/i);
    if (key.startsWith('words.school.')) expect(text, key).not.toMatch(/колледж|сад|куратор|обучающ/i);
  }
});

it('names every action of the audit log, in a sentence and in the filter', () => {
  for (const words of [russian, english]) {
    for (const part of ['sentences', 'titles']) {
      const unnamed = auditActions.filter((action) => !words.has(`audit.${part}.${action}`));
      expect(unnamed, part).toEqual([]);
    }
  }
});

it('has words for every switch of the permission table that is shown', () => {
  for (const name of settingNames) {
    for (const words of [russian, english]) {
      expect(words.get(`rights.${name}.title`), name).toBeDefined();
      expect(words.get(`rights.${name}.text`), name).toBeDefined();
    }
  }
});
