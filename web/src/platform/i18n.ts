import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { ru } from '../locales/ru.ts';

export const languages = ['ru', 'en'] as const;
export type Language = (typeof languages)[number];

const storageKey = 'zvonok.language';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof ru };
  }
}

function isLanguage(value: string | null | undefined): value is Language {
  return languages.some((language) => language === value);
}

/** What the person chose on this device, else what the browser asks for; Russian where that is neither. */
export function preferredLanguage(): Language {
  const chosen = localStorage.getItem(storageKey);
  if (isLanguage(chosen)) return chosen;
  const asked = navigator.language.slice(0, 2);
  return isLanguage(asked) ? asked : 'ru';
}

async function load(language: Language): Promise<void> {
  if (language === 'en' && !i18next.hasResourceBundle('en', 'translation')) {
    const { en } = await import('../locales/en.ts');
    i18next.addResourceBundle('en', 'translation', en);
  }
}

/** Resolves when the words of the preferred language are there. Russian is in the first bundle, English comes after. */
export async function startI18n(): Promise<void> {
  const language = preferredLanguage();
  await i18next.use(initReactI18next).init({
    resources: { ru: { translation: ru } },
    lng: 'ru',
    fallbackLng: 'ru',
    // React escapes by itself.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  // Words that could not be fetched must not keep anybody out: Russian stays.
  await applyLanguage(language).catch(() => undefined);
}

async function applyLanguage(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  document.title = i18next.t('app.name');
}

/** Switches the interface and remembers the choice on this device. */
export async function chooseLanguage(language: Language): Promise<void> {
  await applyLanguage(language);
  localStorage.setItem(storageKey, language);
}

export function currentLanguage(): Language {
  return isLanguage(i18next.language) ? i18next.language : 'ru';
}
