import {
  type AccountId,
  CodedError,
  type GroupId,
  type Import,
  type MembershipId,
  type MyMembership,
  type Role,
  type SchoolId,
  schoolLimits,
} from '@zvonok/shared';
import type { Accounts, StrangeSignIn } from '../accounts/index.ts';
import type { Reader, Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor, Caller, MountedProcedure } from '../platform/procedures.ts';
import { createSchoolActions } from './school.actions.ts';
import { createAuditActions } from './school.audit.actions.ts';
import { record } from './school.audit.store.ts';
import { createCardIssueActions, tellCardLocked } from './school.cards.actions.ts';
import { createSchoolChanges, describeOwn, type SchoolChanges } from './school.changes.ts';
import { createDirectoryActions } from './school.directory.actions.ts';
import { listEverybody, listPeopleOfGroups } from './school.directory.store.ts';
import { barredFrom, groupsOfMembers, loadFacts, subjectsOf } from './school.facts.store.ts';
import { createGuardianActions } from './school.guardians.actions.ts';
import { isOpen } from './school.hosting.store.ts';
import { hosting } from './school.hosting.ts';
import { type HttpDoor, mountSchoolHttp } from './school.http.ts';
import { createInviteActions } from './school.invites.actions.ts';
import { createPersonalInviteActions } from './school.invites.personal.ts';
import { createRedeemActions } from './school.invites.redeem.ts';
import { createJoiningActions } from './school.joining.actions.ts';
import { createJoinQueueActions } from './school.joining.queue.actions.ts';
import { mountJoining } from './school.joining.routes.ts';
import { createMovementActions } from './school.movement.actions.ts';
import { createNoticeActions, raiseNotice } from './school.notices.ts';
import { createOverviewActions } from './school.overview.ts';
import { createPeopleActions } from './school.people.actions.ts';
import {
  type ConversationDescriptor,
  canContact,
  type MemberFacts,
  placeInGroup,
  placeInSchool,
} from './school.policy.ts';
import type { HandPicked, PeopleChanged, PostToChannel } from './school.ports.ts';
import { createRequestActions } from './school.requests.ts';
import { createRosterActions } from './school.roster.actions.ts';
import { createRosterClaims, type RosterClaims } from './school.roster.claims.ts';
import { mountRoster } from './school.roster.routes.ts';
import {
  mountCardIssue,
  mountGuardians,
  mountInvites,
  mountMovement,
  mountNotices,
  mountOverview,
  mountPeople,
  mountRequests,
  mountSchool,
  type SchoolActions,
} from './school.routes.ts';
import {
  activeOf,
  describeMembers,
  findActor,
  getSchools,
  listActiveMemberships,
  listGroups,
  type StoredGroup,
} from './school.store.ts';

export { normaliseFullName, normaliseLabel } from './school.names.ts';
export type { ConversationDescriptor, MemberFacts } from './school.policy.ts';
export type { HandPicked, PeopleChange, PeopleChanged } from './school.ports.ts';

export interface SchoolPorts {
  readonly accounts: Pick<Accounts, 'cards' | 'phonesOf'>;
  /** Called in the transaction of each change of a school's people, after it was written. It may announce. */
  readonly peopleChanged: PeopleChanged;
  readonly postToChannel: PostToChannel;
  readonly handPicked: HandPicked;
}

/** Who belongs to which school as what, and the rules of who may meet whom. */
export interface School {
  readonly procedures: MountedProcedure[];
  /** Adds the routes that take and give tables. */
  mountHttp(door: HttpDoor): Promise<void>;
  /** Has a table of people read, as the route that takes one does. @throws CodedError FORBIDDEN */
  addImport(actor: Actor, fileName: string, file: Buffer): Promise<Import>;
  /** Changes without a right of their own, for the operator's commands. */
  readonly operator: Pick<
    SchoolChanges,
    'createSchool' | 'createGroup' | 'enrol' | 'verify' | 'attach' | 'link'
  > &
    typeof hosting;
  /** Whether the school's people may do anything in it: the operator has not suspended it. */
  isOpen(reader: Reader, schoolId: SchoolId): Promise<boolean>;
  /**
   * The caller as one of their active memberships; at most a second old, and fresh after a change that this node heard of.
   *
   * @throws CodedError FORBIDDEN where it is not theirs, over, or absent; SCHOOL_SUSPENDED
   */
  requireActor(caller: Caller, membershipId: MembershipId): Promise<Omit<Actor, 'address'>>;
  /** Records the report in each of the account's schools and tells those who answer for them. */
  strangeSignInReported(tx: Transaction, report: StrangeSignIn): Promise<void>;
  /** Tells those who answer for a pupil that wrong PINs have locked their card. */
  cardLocked(tx: Transaction, accountId: AccountId): Promise<void>;
  /** Whether an invite with this token can be redeemed now. Uses nothing up. */
  inviteIsOpen(token: string): Promise<boolean>;
  /** The school that takes requests to join by this code now. */
  schoolByJoinCode(code: string): Promise<SchoolId | undefined>;
  /** How people whom the school expects become members. */
  readonly rosterClaims: RosterClaims;
  /** The active memberships of an account, the oldest first, as their owner sees them. */
  membershipsOf(accountId: AccountId): Promise<MyMembership[]>;
  /** Those of schools that are open, ids alone: whose events an account's sockets hear. */
  listAudience(
    accountId: AccountId,
  ): Promise<{ readonly schoolId: SchoolId; readonly membershipId: MembershipId }[]>;
  /** Everything that decides the rights of these memberships now; those that are over or of another school are left out. */
  loadFacts(
    reader: Reader,
    schoolId: SchoolId,
    ids: readonly MembershipId[],
  ): Promise<Map<MembershipId, MemberFacts>>;
  /**
   * Who belongs by themselves to conversations of one school, of `only` these people where given, in the order of the
   * conversations; nobody where a kind is filled by hand. `reader`: reads and does not write.
   */
  expectedMembersOf(
    reader: Reader,
    conversations: readonly ConversationDescriptor[],
    only?: readonly MembershipId[],
  ): Promise<{ membershipId: MembershipId; reader: boolean }[][]>;
  /** Those of the school's groups, archived ones too. */
  groupsOf(reader: Reader, schoolId: SchoolId, ids: readonly GroupId[]): Promise<StoredGroup[]>;
  /** The subjects that active teachers teach these groups. */
  subjectsOf(
    reader: Reader,
    schoolId: SchoolId,
    groupIds: readonly GroupId[],
  ): Promise<{ groupId: GroupId; subject: string }[]>;
  /** Groups that these people are tied to, or were when their membership ended. */
  groupsOfMembers(
    reader: Reader,
    schoolId: SchoolId,
    membershipIds: readonly MembershipId[],
  ): Promise<GroupId[]>;
  /** Those of the memberships that are active. */
  activeOf(
    reader: Reader,
    schoolId: SchoolId,
    membershipIds: readonly MembershipId[],
  ): Promise<Set<MembershipId>>;
  /**
   * Of these people's places in groups, archived ones too, those that they may not keep: of staff who are not verified, and
   * of guardians who may not be informed of any child who is or was there.
   */
  barredFrom<Place extends { readonly membershipId: MembershipId; readonly groupId: GroupId }>(
    reader: Reader,
    schoolId: SchoolId,
    places: readonly Place[],
  ): Promise<Place[]>;
  /** Name, role and badge, of ended memberships too. */
  describeMembers(
    schoolId: SchoolId,
    ids: readonly MembershipId[],
    reader?: Reader,
  ): Promise<Map<MembershipId, { fullName: string; role: Role; verified: boolean }>>;
  /** The contact policy: whether `from` may write to `to` directly, now. False where either is not an active member. */
  mayContact(reader: Reader, schoolId: SchoolId, from: MembershipId, to: MembershipId): Promise<boolean>;
  /** Of the others those with whom the contact policy lets this person talk now, whichever of the two may begin. */
  inContact(
    reader: Reader,
    schoolId: SchoolId,
    id: MembershipId,
    others: readonly MembershipId[],
  ): Promise<Set<MembershipId>>;
  close(): void;
}

export function createSchool(platform: Platform, ports: SchoolPorts): School {
  const { database } = platform;
  const changes = createSchoolChanges(ports.peopleChanged, ports.accounts.cards);
  const rosterClaims = createRosterClaims(database, changes);
  const joining = {
    ...createJoiningActions(platform),
    ...createJoinQueueActions(platform, ports.accounts, changes, rosterClaims),
  };
  const directory = createDirectoryActions(platform, ports.accounts, changes);
  const actions: SchoolActions = {
    listMembers: directory.listMembers,
    ...createSchoolActions(platform, changes),
    ...createPeopleActions(platform, changes),
    ...createInviteActions(platform, changes),
    ...createRedeemActions(platform, ports.accounts, changes, rosterClaims),
    ...createAuditActions(platform),
  };
  const roster = createRosterActions(platform, ports.accounts, changes);
  const actors = createActorCache(platform);
  return {
    procedures: [
      ...mountSchool(actions),
      ...mountCardIssue(createCardIssueActions(platform, ports.accounts, rosterClaims)),
      ...mountGuardians(createGuardianActions(platform, ports.accounts, changes, ports.peopleChanged)),
      ...mountNotices(createNoticeActions(platform)),
      ...mountInvites(createPersonalInviteActions(platform, changes)),
      ...mountRoster(roster),
      ...mountOverview(createOverviewActions(platform)),
      ...mountJoining(joining),
      ...mountRequests(createRequestActions(platform, changes, ports)),
      ...mountPeople(directory),
      ...mountMovement(createMovementActions(platform, changes, ports.handPicked)),
    ],
    addImport: roster.addImport,
    mountHttp: (door) => mountSchoolHttp(door, { roster, audit: actions }, actors.requireActor),
    operator: { ...changes, ...hosting },
    isOpen,
    requireActor: actors.requireActor,
    async strangeSignInReported(tx, { accountId, address, device }) {
      const found = await listActiveMemberships(tx, accountId, { inOpenSchools: false });
      // Once in each school, however many roles the person has there.
      for (const [schoolId, [membership]] of Map.groupBy(found, (each) => each.schoolId)) {
        if (membership === undefined) continue;
        const { membershipId } = membership;
        await record(
          tx,
          schoolId,
          { membershipId, address },
          {
            action: 'strangeSignInReported',
            membershipId,
            ...(device === undefined
              ? {}
              : { before: { device: device.name, signedInAt: device.signedInAt.toISOString() } }),
          },
        );
        await raiseNotice(tx, schoolId, { kind: 'strangeSignIn', membershipId });
      }
    },
    inviteIsOpen: actions.inviteIsOpen,
    schoolByJoinCode: joining.schoolByJoinCode,
    rosterClaims,
    cardLocked: tellCardLocked,
    async membershipsOf(accountId) {
      const found = await listActiveMemberships(database, accountId, { inOpenSchools: false });
      const people: MemberFacts[] = [];
      for (const [schoolId, ofSchool] of Map.groupBy(found, (each) => each.schoolId)) {
        const ids = ofSchool.map((each) => each.membershipId);
        const facts = await loadFacts(database, schoolId, ids);
        people.push(...ids.flatMap((id) => facts.get(id) ?? []));
      }
      return describeOwn(database, people);
    },
    listAudience: (accountId) => listActiveMemberships(database, accountId, { inOpenSchools: true }),
    loadFacts,
    async expectedMembersOf(reader, conversations, only) {
      const groupIds = [...new Set(conversations.flatMap((conversation) => conversation.groupId ?? []))];
      const tied = await tiedToGroups(reader, conversations[0]?.schoolId, groupIds, only);
      const expected: { membershipId: MembershipId; reader: boolean }[][] = [];
      for (const conversation of conversations) {
        const { groupId } = conversation;
        const places =
          groupId === null
            ? await placesInSchool(reader, conversation, only)
            : (tied.get(groupId) ?? []).map((facts) => ({
                membershipId: facts.membershipId,
                place: placeInGroup(conversation, facts),
              }));
        expected.push(
          places.flatMap(({ membershipId, place }) =>
            place === undefined ? [] : [{ membershipId, reader: place === 'reader' }],
          ),
        );
      }
      return expected;
    },
    groupsOf: (reader, schoolId, ids) => listGroups(reader, schoolId, ids.length, ids),
    subjectsOf,
    groupsOfMembers,
    activeOf,
    barredFrom,
    describeMembers: (schoolId, ids, reader = database) => describeMembers(reader, schoolId, ids),
    async mayContact(reader, schoolId, fromId, toId) {
      const facts = await loadFacts(reader, schoolId, [fromId, toId]);
      const from = facts.get(fromId);
      const to = facts.get(toId);
      return from !== undefined && to !== undefined && canContact(from, to);
    },
    async inContact(reader, schoolId, id, others) {
      if (others.length === 0) return new Set();
      const facts = await loadFacts(reader, schoolId, [id, ...others]);
      const self = facts.get(id);
      return new Set(
        others.filter((otherId) => {
          const other = facts.get(otherId);
          return (
            self !== undefined && other !== undefined && (canContact(self, other) || canContact(other, self))
          );
        }),
      );
    },
    close: actors.close,
  };
}

/** The people with a tie to each of these groups, of `only` these people where given: nobody else has a place in it. */
async function tiedToGroups(
  reader: Reader,
  schoolId: SchoolId | undefined,
  groupIds: readonly GroupId[],
  only: readonly MembershipId[] | undefined,
): Promise<Map<GroupId, MemberFacts[]>> {
  if (schoolId === undefined || groupIds.length === 0) return new Map();
  const ids = only ?? (await listPeopleOfGroups(reader, schoolId, groupIds));
  const tied = new Map<GroupId, MemberFacts[]>(groupIds.map((id) => [id, []]));
  for (const facts of (await loadFacts(reader, schoolId, ids)).values()) {
    const own = [facts.groupId, ...[...facts.attachments, ...facts.children].map((each) => each.groupId)];
    for (const groupId of new Set(own)) if (groupId !== null) tied.get(groupId)?.push(facts);
  }
  return tied;
}

/** Everybody's place in a conversation of the whole school. */
async function placesInSchool(
  reader: Reader,
  conversation: ConversationDescriptor,
  only: readonly MembershipId[] | undefined,
) {
  const { schoolId } = conversation;
  const settings = (await getSchools(reader, [schoolId])).get(schoolId)?.settings ?? {};
  return (await listEverybody(reader, schoolId, only)).map((person) => ({
    membershipId: person.membershipId,
    place: placeInSchool(conversation, person, settings),
  }));
}

interface CachedActor {
  /** When the question was put: what is committed after it shows at the latest a second after it. */
  readonly askedAt: number;
  readonly membershipId: MembershipId;
  readonly answer: Promise<
    (Omit<Actor, 'sessionId' | 'address'> & { readonly suspended: boolean }) | undefined
  >;
}

/** Actors of the last second, dropped at once when a change is heard of. */
function createActorCache({ database, outbound }: Platform) {
  const entries = new Map<string, CachedActor>();

  const close = outbound.onSignal((value) => {
    if (value.name !== 'membershipChanged' && value.name !== 'membershipEnded') return;
    const changed = new Set(value.membershipIds);
    for (const [key, entry] of entries) if (changed.has(entry.membershipId)) entries.delete(key);
  });

  function sweep(now: number) {
    // Insertion order is age order.
    for (const [key, entry] of entries) {
      if (now - entry.askedAt < schoolLimits.actorCacheMs && entries.size <= schoolLimits.actorsCached)
        return;
      entries.delete(key);
    }
  }

  async function load({ accountId }: Caller, membershipId: MembershipId) {
    const found = await findActor(database, { accountId }, membershipId);
    return found === undefined ? undefined : { accountId, membershipId, ...found };
  }

  async function requireActor(caller: Caller, membershipId: MembershipId): Promise<Omit<Actor, 'address'>> {
    const key = `${caller.accountId} ${membershipId}`;
    const now = performance.now();
    let entry = entries.get(key);
    if (entry === undefined || now - entry.askedAt >= schoolLimits.actorCacheMs) {
      const fresh: CachedActor = { askedAt: now, membershipId, answer: load(caller, membershipId) };
      entries.delete(key);
      entries.set(key, fresh);
      sweep(now);
      const dropUnless = (actor: unknown) => {
        if (actor === undefined && entries.get(key) === fresh) entries.delete(key);
      };
      fresh.answer.then(dropUnless, () => dropUnless(undefined));
      entry = fresh;
    }
    const actor = await entry.answer;
    if (actor === undefined) throw new CodedError('FORBIDDEN');
    const { suspended, ...known } = actor;
    if (suspended) throw new CodedError('SCHOOL_SUSPENDED');
    return { ...known, sessionId: caller.sessionId };
  }

  return { requireActor, close };
}
