import {
  type Icon,
  IconAdjustmentsHorizontal,
  IconAlertTriangle,
  IconBuilding,
  IconCalendarCheck,
  IconCalendarUp,
  IconChalkboard,
  IconHistory,
  IconId,
  IconInbox,
  IconQrcode,
  IconRosetteDiscountCheck,
  IconTableImport,
  IconUserPlus,
  IconUserQuestion,
  IconUsers,
} from '@tabler/icons-react';
import {
  type MyMembership,
  mayRequest,
  mightDo,
  type Permission,
  rightOf,
  type Vocabulary,
  type Waiting,
} from '@zvonok/client-sdk';
import type { TFunction } from 'i18next';
import { type ComponentType, lazy } from 'react';
import { formsOf } from '../platform/vocabulary.ts';
import { answersForSchool } from './answers-for-school.ts';

/** A page of the administrator's desk: an entry of its navigation and a route at `/school/<path>`. */
export interface DeskPage {
  readonly path: string;
  /** Whether the page has pages of its own below it, which it routes itself. */
  readonly nested?: true;
  readonly name: (t: TFunction, vocabulary: Vocabulary) => string;
  readonly icon: Icon;
  /** Asks the permission table, as the server does: nobody is shown a door that stays shut. */
  readonly isFor: (membership: MyMembership) => boolean;
  /** What waits there for somebody to look after it, of what the desk's overview counts. */
  readonly waiting?: keyof Waiting;
  readonly page: ComponentType;
}

export interface DeskPart {
  /** Null for what needs no heading. */
  readonly title: ((t: TFunction, vocabulary: Vocabulary) => string) | null;
  readonly pages: readonly DeskPage[];
}

const has =
  (...asked: readonly Permission[]) =>
  (membership: MyMembership) =>
    asked.some((permission) => mightDo(permission, membership));

const hasAll =
  (...asked: readonly Permission[]) =>
  (membership: MyMembership) =>
    asked.every((permission) => mightDo(permission, membership));

const hasOrAsks =
  (...asked: readonly Permission[]) =>
  (membership: MyMembership) =>
    asked.some((permission) => mightDo(permission, membership) || mayRequest(permission, membership));

/**
 * The desk, in the order in which it is shown. A new page is an entry here and nothing else: its screen is exported by its
 * own file in this folder as a component without props that renders a `PageFrame`; its name is under `deskPages` in the
 * locales, or under `words.<vocabulary>` where schools call it differently; `isFor` names the permissions whose work is
 * done there. Where something waits on it, its count joins `Waiting` (shared/src/school.overview.ts) and its words
 * `overview.waiting`: it is shown beside the entry and under «Сегодня».
 */
export const desk: readonly DeskPart[] = [
  {
    title: null,
    pages: [
      {
        path: 'today',
        name: (t) => t('overview.title'),
        icon: IconCalendarCheck,
        isFor: hasOrAsks('editSchool', 'moveMembers'),
        page: lazy(() => import('./overview.tsx').then((module) => ({ default: module.OverviewPage }))),
      },
      {
        path: 'notices',
        name: (t) => t('notices.title'),
        icon: IconAlertTriangle,
        isFor: answersForSchool,
        waiting: 'notices',
        page: lazy(() => import('./notices.tsx').then((module) => ({ default: module.Notices }))),
      },
    ],
  },
  {
    title: (t, vocabulary) => t(`words.${vocabulary}.organisation`),
    pages: [
      {
        path: 'card',
        name: (t) => t('card.title'),
        icon: IconBuilding,
        isFor: hasOrAsks('editSchool'),
        page: lazy(() => import('./school-card.tsx').then((module) => ({ default: module.SchoolCardPage }))),
      },
      {
        path: 'classes',
        nested: true,
        name: (t, vocabulary) => t(`words.${vocabulary}.groups`),
        icon: IconChalkboard,
        isFor: (membership) => hasOrAsks('attachTeachers')(membership) || membership.attachments.length > 0,
        page: lazy(() => import('./classes.tsx').then((module) => ({ default: module.ClassesPage }))),
      },
    ],
  },
  {
    title: (t) => t('deskParts.people'),
    pages: [
      {
        path: 'people',
        name: (t) => t('people.title'),
        icon: IconUsers,
        isFor: hasOrAsks('verifyTeacher', 'moveMembers'),
        page: lazy(() => import('./people.tsx').then((module) => ({ default: module.People }))),
      },
      {
        path: 'register',
        name: (t, vocabulary) => t('register.title', { ...formsOf(vocabulary, t) }),
        icon: IconId,
        isFor: has('seeClassRegister'),
        page: lazy(() => import('./register.tsx').then((module) => ({ default: module.Register }))),
      },
      {
        path: 'rollover',
        name: (t) => t('rollover.title'),
        icon: IconCalendarUp,
        isFor: has('moveMembers'),
        page: lazy(() => import('./rollover.tsx').then((module) => ({ default: module.RolloverPage }))),
      },
      {
        path: 'verification',
        name: (t) => t('verification.title'),
        icon: IconRosetteDiscountCheck,
        isFor: has('verifyTeacher'),
        waiting: 'verification',
        page: lazy(() => import('./verification.tsx').then((module) => ({ default: module.Verification }))),
      },
      {
        path: 'requests',
        name: (t) => t('requests.title'),
        icon: IconInbox,
        isFor: hasOrAsks(
          'verifyTeacher',
          'editSchool',
          'attachTeachers',
          'moveMembers',
          'linkGuardian',
          'postGeneralChannel',
          'postStaffChannel',
        ),
        waiting: 'requests',
        page: lazy(() => import('./requests.tsx').then((module) => ({ default: module.Requests }))),
      },
    ],
  },
  {
    title: (t) => t('deskParts.coming'),
    pages: [
      {
        path: 'join-requests',
        name: (t) => t('joinRequests.title'),
        icon: IconUserQuestion,
        isFor: has('decideStaffRequests', 'decidePupilRequests'),
        waiting: 'joinRequests',
        page: lazy(() => import('./join-requests.tsx').then((module) => ({ default: module.JoinRequests }))),
      },
      {
        path: 'import',
        name: (t) => t('import.title'),
        icon: IconTableImport,
        isFor: hasAll('manageGroups', 'moveMembers'),
        page: lazy(() => import('./import.tsx').then((module) => ({ default: module.ImportPeople }))),
      },
      {
        path: 'roster',
        name: (t) => t('roster.title'),
        icon: IconUserPlus,
        isFor: hasAll('manageGroups', 'moveMembers'),
        waiting: 'roster',
        page: lazy(() => import('./roster.tsx').then((module) => ({ default: module.Roster }))),
      },
      {
        path: 'invites',
        name: (t) => t('invites.title'),
        icon: IconQrcode,
        isFor: has('inviteStaff', 'invitePupils', 'inviteGuardians'),
        page: lazy(() => import('./invites.tsx').then((module) => ({ default: module.Invites }))),
      },
    ],
  },
  {
    title: (t) => t('deskParts.order'),
    pages: [
      {
        path: 'settings',
        name: (t) => t('rights.title'),
        icon: IconAdjustmentsHorizontal,
        isFor: has('editSchool'),
        page: lazy(() => import('./rights.tsx').then((module) => ({ default: module.RightsPage }))),
      },
      {
        path: 'audit',
        name: (t) => t('audit.title'),
        icon: IconHistory,
        // Everybody reads what they did themselves; a desk is for those who read more.
        isFor: ({ standings, settings }) =>
          standings.some((each) => ['school', 'own'].includes(rightOf('seeAuditLog', each, settings))),
        page: lazy(() => import('./audit.tsx').then((module) => ({ default: module.AuditPage }))),
      },
    ],
  },
];

export const deskPages: readonly DeskPage[] = desk.flatMap((part) => part.pages);

/** Whether the desk has a page for this person at all. */
export const hasDesk = (membership: MyMembership): boolean =>
  deskPages.some((page) => page.isFor(membership));
