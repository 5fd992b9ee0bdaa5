import {
  type AuditAction,
  type AuditRecord,
  auditActions,
  endReasons,
  type Role,
  roles,
  settingNames,
  type Vocabulary,
  vocabularies,
} from '@zvonok/client-sdk';
import type { TFunction } from 'i18next';
import { ruAudit } from '../locales/ru.audit.ts';
import { formsOf } from '../platform/vocabulary.ts';
import { longDate, roleWord } from '../platform/words.ts';

type Facts = NonNullable<AuditRecord['before']>;
type Fact = Facts[string];

/** Told by the sentence itself, or to nobody's use. */
const inSentence: Readonly<Partial<Record<AuditAction, readonly string[]>>> = {
  groupCreated: ['name', 'kind'],
  groupArchived: ['name'],
  inviteMade: ['role'],
  inviteAnnulled: ['role'],
  inviteRedeemed: ['role'],
  joinRequestDeclined: ['requestId'],
  membershipStarted: ['role'],
  membershipEnded: ['role', 'reason'],
  teacherAttached: ['kind', 'subject'],
  teacherDetached: ['kind', 'subject'],
  guardianLinked: ['childId'],
  guardianUnlinked: ['childId'],
  guardianLimited: ['childId'],
};

const oneOf = <T extends string>(words: readonly T[], fact: Fact | undefined): T | undefined =>
  words.find((word) => word === fact);

/** What an action is called in a filter and above a column. */
export const actionTitle = (action: AuditAction, vocabulary: Vocabulary, t: TFunction): string =>
  t(`audit.titles.${action}`, { ...formsOf(vocabulary, t) });

/** What was done, in one sentence of the school's own words. */
export function actionSentence(record: AuditRecord, vocabulary: Vocabulary, t: TFunction): string {
  const facts = { ...record.before, ...record.after };
  const role = oneOf<Role>(roles, facts.role);
  const reason = oneOf(endReasons, facts.reason);
  const nobody = t('audit.nobody');
  const tie =
    facts.kind === 'class'
      ? t(`words.${vocabulary}.classTeacher`)
      : String(facts.subject ?? facts.kind ?? '');
  return t(`audit.sentences.${record.action}`, {
    ...formsOf(vocabulary, t),
    ...(facts.kind === 'staff' && { theGroup: t('audit.place') }),
    member: record.member?.fullName ?? nobody,
    group: placeOf(record, vocabulary, t),
    role: role === undefined ? '' : lowered(roleWord(role, vocabulary, t)),
    reason: reason === undefined ? '' : t(`audit.reasons.${reason}`),
    tie: lowered(tie),
    child: record.names[String(facts.childId)] ?? nobody,
  });
}

/** The name of the group then, and of the staff room as this kind of school calls it. */
function placeOf({ group, before, after }: AuditRecord, vocabulary: Vocabulary, t: TFunction): string {
  if (after?.kind === 'staff' || group === null) return t(`words.${vocabulary}.staffRoom`);
  const then = after?.name ?? before?.name;
  return typeof then === 'string' ? then : group.name;
}

const lowered = (words: string) => words.charAt(0).toLocaleLowerCase() + words.slice(1);

/** Each fact that the sentence does not tell: what it is called, what it was, and what it became. */
export function factsOf(
  record: AuditRecord,
  vocabulary: Vocabulary,
  t: TFunction,
): { name: string; before: string | undefined; after: string | undefined }[] {
  const told = inSentence[record.action] ?? [];
  const names = new Set([...Object.keys(record.before ?? {}), ...Object.keys(record.after ?? {})]);
  return (
    [...names]
      .filter((name) => !told.includes(name))
      // What a new thing does not have is no news.
      .filter((name) => record.before !== null || record.after?.[name] !== null)
      .map((name) => ({
        name: factName(name, vocabulary, t),
        before: wordsOf(record, record.before, name, vocabulary, t),
        after: wordsOf(record, record.after, name, vocabulary, t),
      }))
      .filter(({ before, after }) => before !== undefined || after !== undefined)
  );
}

const isAction = (name: string): name is AuditAction => auditActions.some((each) => each === name);
const isSetting = (name: string): name is (typeof settingNames)[number] =>
  settingNames.some((each) => each === name);
const isAbout = (fact: string): fact is keyof typeof ruAudit.about => Object.hasOwn(ruAudit.about, fact);
const isFact = (name: string): name is keyof typeof ruAudit.facts => Object.hasOwn(ruAudit.facts, name);

function factName(name: string, vocabulary: Vocabulary, t: TFunction): string {
  if (isSetting(name)) return t(`rights.${name}.title`, { ...formsOf(vocabulary, t) });
  return isFact(name) ? t(`audit.facts.${name}`, { ...formsOf(vocabulary, t) }) : name;
}

function wordsOf(
  { names }: AuditRecord,
  facts: Facts | null,
  name: string,
  vocabulary: Vocabulary,
  t: TFunction,
): string | undefined {
  const fact = facts?.[name];
  if (fact === undefined) return undefined;
  if (isSetting(name)) return fact === null ? t('audit.usual') : t(fact ? 'audit.on' : 'audit.off');
  if (fact === null || fact === '') return t('audit.none');
  if (typeof fact === 'boolean') return t(fact ? 'audit.yes' : 'audit.no');
  if (typeof fact === 'number') return String(fact);
  if (name === 'action' && isAction(fact)) return actionTitle(fact, vocabulary, t);
  if (name.endsWith('At') || name === 'from' || name === 'until') return longDate(fact);
  const vocabularyWord = name === 'vocabulary' ? oneOf(vocabularies, fact) : undefined;
  if (vocabularyWord !== undefined) return t(`words.${vocabularyWord}.organisation`);
  const role = name === 'role' ? oneOf<Role>(roles, fact) : undefined;
  if (role !== undefined) return roleWord(role, vocabulary, t);
  if ((name === 'kind' || name === 'match') && isAbout(fact))
    return t(`audit.about.${fact}`, { ...formsOf(vocabulary, t) });
  return names[fact] ?? fact;
}
