import {
  type AccountId,
  type Attachment,
  type CallId,
  callLimits,
  type GroupId,
  type MembershipId,
  type Role,
  type SchoolId,
  type SessionId,
  standingsOf,
} from '@zvonok/shared';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { MemberFacts } from '../school/index.ts';
import { type CallPlace, canHost, canStartCall, mediaRightsOf } from './calls.policy.ts';
import { TicketOffice } from './calls.tickets.ts';

const id = <T>(text: string) => text as unknown as T;
const own = id<GroupId>('own group');
const other = id<GroupId>('other group');

function somebody(role: Role, change: Partial<MemberFacts> = {}): MemberFacts {
  const facts = {
    membershipId: id<MembershipId>('membership'),
    schoolId: id<SchoolId>('school'),
    accountId: id<AccountId>('account'),
    fullName: 'Имя Фамилия',
    isHead: false,
    startedAt: new Date(0),
    role,
    verified: role === 'admin' || role === 'head' || role === 'teacher',
    groupId: role === 'pupil' ? own : null,
    attachments: [],
    children: [],
    childrenOnRecord: [],
    settings: {},
    ...change,
  };
  return { standings: standingsOf(facts), ...facts };
}
const attached = (kind: Attachment['kind'], groupId: GroupId, subject: string | null = null) => ({
  attachments: [{ kind, groupId, subject }],
});
const child = {
  membershipId: id<MembershipId>('child'),
  fullName: 'Дитя',
  groupId: own,
  mayBeContacted: true,
};

const people = {
  SA: somebody('admin'),
  HD: somebody('head'),
  CT: somebody('teacher', attached('class', own)),
  foreignCT: somebody('teacher', attached('class', other)),
  ST: somebody('teacher', attached('subject', own, 'Алгебра')),
  otherST: somebody('teacher', attached('subject', own, 'Физика')),
  TU: somebody('teacher', { ...attached('class', own), verified: false }),
  SU: somebody('pupil'),
  PV: somebody('guardian', { children: [child] }),
  PU: somebody('guardian'),
};
type Who = keyof typeof people;
const everybody = Object.keys(people) as Who[];

const place = (kind: CallPlace['kind'], change: Partial<CallPlace> = {}): CallPlace => ({
  kind,
  groupId: own,
  subject: null,
  archivedAt: null,
  reader: false,
  ...change,
});

describe('who may start a group call and host it', () => {
  test.each<[string, CallPlace, readonly Who[]]>([
    ['class', place('class'), ['SA', 'HD', 'CT', 'ST', 'otherST']],
    ['subject', place('subject', { subject: 'Алгебра' }), ['SA', 'HD', 'CT', 'ST']],
    ['parents', place('parents'), ['SA', 'HD', 'CT', 'ST', 'otherST']],
    ['staff', place('staff', { groupId: null }), ['SA', 'HD', 'CT', 'foreignCT', 'ST', 'otherST']],
  ])('%s', (_kind, where, expected) => {
    expect(everybody.filter((who) => canStartCall(where, people[who]))).toEqual(expected);
    expect(everybody.filter((who) => canHost(where, people[who]))).toEqual(expected);
  });

  test('nobody in a channel, in an archived chat, or where they only read', () => {
    for (const where of [
      place('channel', { groupId: null }),
      place('class', { archivedAt: new Date() }),
      place('class', { reader: true }),
    ]) {
      expect(everybody.filter((who) => canStartCall(where, people[who]))).toEqual([]);
    }
  });
});

describe('who may start a call of two', () => {
  const direct = place('direct', { groupId: null });
  const starts = (facts: MemberFacts, mayContact = true) =>
    everybody.filter((who) => canStartCall(direct, people[who], { facts, mayContact }));

  test('staff with anybody they may contact, a linked guardian with staff, no pupil', () => {
    expect(starts(people.CT)).toEqual(['SA', 'HD', 'CT', 'foreignCT', 'ST', 'otherST', 'PV']);
    expect(starts(people.PV)).toEqual(['SA', 'HD', 'CT', 'foreignCT', 'ST', 'otherST']);
  });

  test('nobody whom the contact policy keeps from the other', () => {
    expect(starts(people.CT, false)).toEqual([]);
    expect(everybody.filter((who) => canStartCall(direct, people[who]))).toEqual([]);
  });

  test('and only verified staff host it', () => {
    expect(everybody.filter((who) => canHost(direct, people[who]))).toEqual([
      'SA',
      'HD',
      'CT',
      'foreignCT',
      'ST',
      'otherST',
    ]);
  });
});

test('microphone, camera and screen follow the row of lesson media', () => {
  const sent = (who: Who) => {
    const { allowed, grantable } = mediaRightsOf(people[who]);
    return [allowed.microphone, allowed.camera, allowed.screen, grantable];
  };
  for (const who of ['SA', 'HD', 'CT', 'ST'] as const) expect(sent(who)).toEqual([true, true, true, true]);
  for (const who of ['SU', 'PV'] as const) expect(sent(who)).toEqual([true, true, false, true]);
  for (const who of ['TU', 'PU'] as const) expect(sent(who)).toEqual([false, false, false, false]);
});

describe('a ticket', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const claims = {
    schoolId: id<SchoolId>('school'),
    callId: id<CallId>('call'),
    membershipId: id<MembershipId>('membership'),
    accountId: people.SU.accountId,
    sessionId: id<SessionId>('session'),
  };
  const office = new TicketOffice(Buffer.alloc(32, 1));

  test('says whom it is for, once', () => {
    const { ticket } = office.issue(claims);
    expect(office.redeem(ticket)).toEqual(claims);
    expect(() => office.redeem(ticket)).toThrow('used');
  });

  test('is over after a minute', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { ticket, expiresAt } = office.issue(claims);
    const later = office.issue(claims).ticket;
    expect(expiresAt.getTime() - Date.now()).toBe(callLimits.ticketLifeMs);
    vi.advanceTimersByTime(callLimits.ticketLifeMs);
    expect(office.redeem(ticket)).toEqual(claims);
    vi.advanceTimersByTime(1);
    expect(() => office.redeem(later)).toThrow('expired');
  });

  test('of another key is worth nothing', () => {
    const { ticket } = new TicketOffice(Buffer.alloc(32, 2)).issue(claims);
    expect(() => office.redeem(ticket)).toThrow('none of ours');
  });
});
