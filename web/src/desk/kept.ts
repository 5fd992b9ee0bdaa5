import { useState } from 'react';

const prefix = 'zvonok.kept.';

type Fields = Readonly<Record<string, string>>;

/**
 * Fields that are being written, kept in this tab until `forget`: no error and no reload loses them, and closing the tab
 * forgets them. Where the browser keeps nothing, they live as long as the page.
 */
export function useKept<T extends Fields>(
  key: string,
  empty: T,
): readonly [T, (next: T) => void, () => void] {
  const [fields, setFields] = useState<T>(() => read(key, empty));
  const keep = (next: T) => {
    setFields(next);
    write(key, JSON.stringify(next));
  };
  const forget = () => {
    setFields(empty);
    write(key, undefined);
  };
  return [fields, keep, forget];
}

function read<T extends Fields>(key: string, empty: T): T {
  try {
    // An older version of the page may have kept fewer fields.
    return { ...empty, ...(JSON.parse(sessionStorage.getItem(prefix + key) ?? '{}') as Partial<T>) };
  } catch {
    return empty;
  }
}

function write(key: string, text: string | undefined): void {
  try {
    if (text === undefined) sessionStorage.removeItem(prefix + key);
    else sessionStorage.setItem(prefix + key, text);
  } catch {
    // No storage: the page itself holds it.
  }
}
