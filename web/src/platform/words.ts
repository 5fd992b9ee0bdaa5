import type {
  Conversation,
  ErrorCode,
  MessageBody,
  MyMembership,
  Role,
  Vocabulary,
} from '@zvonok/client-sdk';
import { CodedError, errorCatalogue } from '@zvonok/client-sdk';
import i18next, { type TFunction } from 'i18next';
import { currentLanguage } from './i18n.ts';
import { formsOf } from './vocabulary.ts';

/** A failure on this device, which brings its own words. */
export class SpokenError extends Error {
  readonly words: (t: TFunction) => string;

  constructor(words: (t: TFunction) => string) {
    super('said in words');
    this.name = 'SpokenError';
    this.words = words;
  }
}

/** A refusal in plain words with the next step, in the language of the interface. */
export function errorWords(error: unknown, t: TFunction): string {
  if (error instanceof SpokenError) return error.words(t);
  if (!(error instanceof CodedError)) return t('errors.unknown');
  if (error.code === 'UNAVAILABLE' && !navigator.onLine) return t('errors.offline');
  const words = codeWords(error.code, t);
  const incident = error.data?.incidentId;
  return typeof incident === 'string' ? `${words} ${t('common.incident', { id: incident })}` : words;
}

export function codeWords(code: ErrorCode, t: TFunction): string {
  return code in errorCatalogue ? t(`errors.${code}`) : t('errors.unknown');
}

export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is CodedError {
  return error instanceof CodedError && codes.includes(error.code);
}

export function roleWord(role: Role, vocabulary: Vocabulary, t: TFunction): string {
  if (role === 'admin' || role === 'head') return t(`roles.${role}`);
  return t(`words.${vocabulary}.${role}`);
}

/** What a person is here, with their class: «Ученик · 7Б», «Классный руководитель · 7Б». */
export function membershipWords(membership: MyMembership, t: TFunction): string {
  const role = membership.attachments.some((attachment) => attachment.kind === 'class')
    ? t(`words.${membership.vocabulary}.classTeacher`)
    : roleWord(membership.role, membership.vocabulary, t);
  return membership.groupName === null ? role : `${role} · ${membership.groupName}`;
}

/** The name that a person sees: channels and the staff room by the school's vocabulary, direct chats by the other. */
export function conversationTitle(conversation: Conversation, vocabulary: Vocabulary, t: TFunction): string {
  if (conversation.kind === 'channel' && conversation.channel !== null) {
    return t(`words.${vocabulary}.${conversation.channel === 'general' ? 'generalChannel' : 'staffChannel'}`);
  }
  if (conversation.kind === 'direct') return conversation.other?.fullName ?? t('kinds.direct');
  const { kind, title, subject } = conversation;
  if (kind === 'staff') return title ?? t(`words.${vocabulary}.staffRoom`);
  if (title === null) return t(`kinds.${kind}`, { ...formsOf(vocabulary, t) });
  // A group has several chats under its one name.
  if (kind === 'subject' && subject !== null) return `${subject} · ${title}`;
  if (kind === 'parents' || kind === 'classTeachers')
    return t(`titles.${kind}`, { group: title, teachers: t(`words.${vocabulary}.forms.teachers`) });
  return title;
}

/** One line of a message for lists and announcements. */
export function bodyWords(body: MessageBody, direct: boolean, vocabulary: Vocabulary, t: TFunction): string {
  switch (body.kind) {
    case 'text':
      return body.text;
    case 'call':
      return callWords(body.state, direct, vocabulary, t);
    case 'notice':
      return t(`chat.notices.${body.notice}`, { basis: body.basis });
    default:
      return t('chat.unsupported');
  }
}

export function callWords(
  state: 'live' | 'ended',
  direct: boolean,
  vocabulary: Vocabulary,
  t: TFunction,
): string {
  if (direct) return t(state === 'live' ? 'chat.callLive' : 'chat.callEnded');
  return t(`words.${vocabulary}.${state === 'live' ? 'lessonLive' : 'lessonEnded'}`);
}

const locale = () => (currentLanguage() === 'ru' ? 'ru-RU' : 'en-GB');
const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale() + JSON.stringify(options);
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(locale(), options);
    formats.set(key, made);
  }
  return made;
}

export function timeOfDay(iso: string): string {
  return format({ hour: '2-digit', minute: '2-digit' }).format(new Date(iso));
}

export function dayNumber(iso: string): number {
  const date = new Date(iso);
  return Math.floor((date.getTime() - date.getTimezoneOffset() * 60_000) / 86_400_000);
}

function daysAgo(iso: string): number {
  return dayNumber(new Date().toISOString()) - dayNumber(iso);
}

/** «Сегодня», «Вчера», «12 сентября», with the year where it is another. */
export function dayWords(iso: string, t: TFunction): string {
  const days = daysAgo(iso);
  if (days === 0) return t('time.today');
  if (days === 1) return t('time.yesterday');
  return longDate(iso);
}

export function longDate(iso: string): string {
  const date = new Date(iso);
  const sameYear = date.getFullYear() === new Date().getFullYear();
  return format({ day: 'numeric', month: 'long', ...(sameYear ? {} : { year: 'numeric' }) }).format(date);
}

/** With its year, whatever year it is: for papers. */
export function fullDate(iso: string): string {
  return format({ day: 'numeric', month: 'long', year: 'numeric' }).format(new Date(iso));
}

/** The time in a list: of day today, the weekday this week, else the date. */
export function shortTime(iso: string): string {
  const days = daysAgo(iso);
  const date = new Date(iso);
  if (days <= 0) return timeOfDay(iso);
  if (days < 7) return format({ weekday: 'short' }).format(date);
  return format({ day: '2-digit', month: '2-digit', year: '2-digit' }).format(date);
}

export function moment(iso: string, t: TFunction): string {
  return `${dayWords(iso, t)}, ${timeOfDay(iso)}`;
}

/** The same in the middle of a sentence: «сегодня, 14:05». */
export function momentWithin(iso: string, t: TFunction): string {
  const words = moment(iso, t);
  return words.charAt(0).toLocaleLowerCase() + words.slice(1);
}

/** «40 мин», «1 ч 5 мин». */
export function durationWords(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  const unit = (value: number, name: 'hour' | 'minute') =>
    new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return unit(minutes, 'minute');
  return minutes % 60 === 0 ? unit(hours, 'hour') : `${unit(hours, 'hour')} ${unit(minutes % 60, 'minute')}`;
}

export function inWords(ms: number, t: TFunction): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  return seconds < 100
    ? t('time.inSeconds', { count: seconds })
    : t('time.inMinutes', { count: Math.ceil(seconds / 60) });
}

/** +79123456789 or 89123456789 as people read it, unbroken: +7 912 345-67-89; another country's stays as it is. */
export function phoneWords(phone: string): string {
  const plain = phone.replace(/[^+\d]/g, '').replace(/^8(?=\d{10}$)/, '+7');
  const russian = /^\+?7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(plain);
  return russian === null
    ? phone
    : `+7\u00a0${russian[1]}\u00a0${russian[2]}\u2011${russian[3]}\u2011${russian[4]}`;
}

/** Sorting as a class register does. */
export function byName(a: { readonly fullName: string }, b: { readonly fullName: string }): number {
  return a.fullName.localeCompare(b.fullName, i18next.language);
}

export function matches(text: string, typed: string): boolean {
  const plain = (value: string) => value.toLocaleLowerCase().replaceAll('ё', 'е').trim();
  return plain(text).includes(plain(typed));
}
