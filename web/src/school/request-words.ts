import type { RequestState, SchoolRequest, Vocabulary } from '@zvonok/client-sdk';
import type { TFunction } from 'i18next';
import { formsOf } from '../platform/vocabulary.ts';

/** What is asked for, in a line. */
export function wishWords(request: SchoolRequest, vocabulary: Vocabulary, t: TFunction): string {
  const { what } = request;
  const name = request.member?.fullName ?? t('requests.somebody');
  switch (what.kind) {
    case 'ownVerification':
      return t('requests.wishes.ownVerification', { name: request.askedBy.fullName });
    case 'verifyTeacher':
      return t('requests.wishes.verifyTeacher', { name });
    case 'editSchool':
      return t('requests.wishes.editSchool', { ...formsOf(vocabulary, t) });
    case 'attachTeacher': {
      const group = request.group?.name ?? '';
      return what.subject === null
        ? t('requests.wishes.attachClassTeacher', {
            name,
            group,
            title: t(`words.${vocabulary}.classTeacher`),
          })
        : t('requests.wishes.attachTeacher', { name, group, subject: what.subject });
    }
    case 'transferMember':
      return t('requests.wishes.transferMember', { name, group: request.group?.name ?? '' });
    case 'endMembership':
      return t('requests.wishes.endMembership', { name });
    case 'linkGuardian':
      return t('requests.wishes.linkGuardian', {
        name,
        child: request.child?.fullName ?? t('requests.somebody'),
      });
    case 'linkOwnChild':
      return t('requests.wishes.linkOwnChild', { child: what.childName, group: what.groupName });
    case 'post':
      return t('requests.wishes.post', {
        channel: t(`words.${vocabulary}.${what.channel === 'general' ? 'generalChannel' : 'staffChannel'}`),
      });
  }
}

/** The rest of it that whoever decides must read: a paper, a text, the fields of the card. */
export function wishDetails(request: SchoolRequest, t: TFunction): readonly string[] {
  const { what } = request;
  const details: string[] = [];
  if (what.kind === 'ownVerification' || what.kind === 'verifyTeacher') {
    details.push(t('requests.basisIs', { basis: what.basis }));
  }
  if (what.kind === 'endMembership') {
    details.push(t('requests.endIs', { reason: t(`people.reasons.${what.endReason}`) }));
  }
  if (what.kind === 'post') details.push(what.text);
  if (what.kind === 'editSchool') {
    for (const field of ['name', 'address', 'contactEmail', 'contactPhone', 'journalUrl'] as const) {
      const value = what.card[field];
      if (value !== undefined) {
        details.push(t(`requests.card.${field}`, { value: value ?? t('requests.card.none') }));
      }
    }
  }
  if (request.reason !== null) details.push(t('requests.reasonIs', { reason: request.reason }));
  return details;
}

export const stateWord = (state: RequestState, t: TFunction): string => t(`requests.states.${state}`);
