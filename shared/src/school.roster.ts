import Type, { type Static } from 'typebox';
import {
  contractEvent,
  events,
  memberProcedure,
  nullable,
  oneOf,
  perMinute,
  procedures,
  strict,
  Time,
} from './contract.ts';
import { GroupId, ImportId, MembershipId, RosterEntryId } from './ids.ts';
import { rosterLimits } from './limits.ts';
import { FullName, InvitableRole } from './school.objects.ts';

const amount = Type.Integer({ minimum: 0 });

/** Somebody whom the school expects, as administrators see them. */
export const RosterEntry = strict({
  id: RosterEntryId,
  role: InvitableRole,
  fullName: FullName,
  /** A pupil's class. */
  groupId: nullable(GroupId),
  /** E.164. */
  phone: nullable(Type.String()),
  /** The school's own number of the person. */
  externalId: nullable(Type.String()),
  /** A guardian's expected children, by name. */
  children: Type.Array(Type.String()),
  /** Who came as this person; null while nobody has. */
  membershipId: nullable(MembershipId),
  claimedAt: nullable(Time),
  createdAt: Time,
});
export type RosterEntry = Static<typeof RosterEntry>;

/** Columns of the table of people, in their order. */
export const rosterColumns = [
  'name',
  'role',
  'group',
  'phone',
  'number',
  'child',
  'leads',
  'subjects',
] as const;
export const RosterColumn = oneOf(rosterColumns);
export type RosterColumn = (typeof rosterColumns)[number];

/**
 * What an import does with a line: a group that it makes; somebody new; somebody whose data it changes; a pupil whom it
 * moves to another group; somebody who stays as they are; somebody whom the file does not name (nobody is ever taken away);
 * a line that can't be used.
 */
export const importRowKinds = ['group', 'new', 'changed', 'moved', 'unchanged', 'missing', 'error'] as const;
export const ImportRowKind = oneOf(importRowKinds);
export type ImportRowKind = (typeof importRowKinds)[number];

/** Why a line can't be used. The interface has the words. */
export const importFaults = [
  'NAME_MISSING',
  'NAME_INVALID',
  'ROLE_MISSING',
  'ROLE_UNKNOWN',
  'ROLE_ADMIN',
  'ROLE_DIFFERS',
  'GROUP_MISSING',
  'GROUP_INVALID',
  'GROUP_OF_STAFF',
  'PHONE_INVALID',
  'PHONE_TWICE',
  'PHONE_TAKEN',
  'PHONE_OF_ADULT',
  'NUMBER_INVALID',
  'NUMBER_TWICE',
  'PERSON_TWICE',
  'PERSON_AMBIGUOUS',
  'CHILD_MISSING',
  'CHILD_INVALID',
  'CHILD_UNKNOWN',
  'CHILD_AMBIGUOUS',
  'CHILD_OF_OTHERS',
  'LEADS_INVALID',
  'SUBJECTS_INVALID',
  'TEACHING_OF_OTHERS',
] as const;
export const ImportFault = oneOf(importFaults);
export type ImportFault = (typeof importFaults)[number];

/**
 * What an import leaves to people: those who have come already are renamed by hand and keep their phone; whom it knows by
 * the name alone it moves to no other class, since another child may have that name.
 */
export const importNotes = ['renameByHand', 'moveByHand', 'phoneKept'] as const;
export const ImportNote = oneOf(importNotes);
export type ImportNote = (typeof importNotes)[number];

const Values = Type.Partial(
  strict({
    name: Type.String(),
    role: Type.String(),
    group: Type.String(),
    phone: Type.String(),
    number: Type.String(),
    child: Type.String(),
    leads: Type.String(),
    subjects: Type.String(),
  }),
);

/** A line of an import's preview. */
export const ImportRow = strict({
  /** Its place in the preview. */
  position: amount,
  kind: ImportRowKind,
  /** The line of the file, from 1; null for what stands on none. */
  line: nullable(Type.Integer({ minimum: 1 })),
  role: nullable(InvitableRole),
  /** Of the person, or of the group that is made. */
  name: Type.String(),
  /** Of a pupil. */
  group: nullable(Type.String()),
  /** The columns that change, as they were; null where nothing was. */
  before: nullable(Values),
  /** The columns that change or begin, as they will be. */
  after: nullable(Values),
  faults: Type.Array(strict({ column: RosterColumn, fault: ImportFault })),
  notes: Type.Array(ImportNote),
});
export type ImportRow = Static<typeof ImportRow>;
export type ImportValues = Static<typeof Values>;

/** Why a whole file can't be used. */
export const importFailures = [
  'NOT_A_TABLE',
  'OLD_OR_LOCKED',
  'BROKEN',
  'TOO_MANY_ROWS',
  'TOO_LARGE',
  'EMPTY',
  'NO_HEADER',
  'INTERNAL',
] as const;
export const ImportFailure = oneOf(importFailures);
export type ImportFailure = (typeof importFailures)[number];

/**
 * `reading`: the preview is being made. `ready`: it waits to be confirmed. `applying`, `applied`. `stale`: the school
 * changed after the preview, and nothing was applied. `failed`: see `failure`; nothing was applied.
 */
export const importStates = ['reading', 'ready', 'applying', 'applied', 'stale', 'failed'] as const;
export const ImportState = oneOf(importStates);
export type ImportState = (typeof importStates)[number];

const Counts = strict({
  group: amount,
  new: amount,
  changed: amount,
  moved: amount,
  unchanged: amount,
  missing: amount,
  error: amount,
});
export type ImportCounts = Static<typeof Counts>;

export const Import = strict({
  id: ImportId,
  state: ImportState,
  fileName: Type.String(),
  createdBy: MembershipId,
  createdAt: Time,
  /** Lines of the preview by kind, once there is one. */
  counts: nullable(Counts),
  /** What the file itself is refused for. */
  failure: nullable(strict({ reason: ImportFailure, line: nullable(Type.Integer({ minimum: 1 })) })),
  appliedAt: nullable(Time),
});
export type Import = Static<typeof Import>;

/** Beside these the server takes the file and gives the list: see `school.roster.http.ts`. Administrators alone. */
export const rosterProcedures = procedures('school', {
  listRoster: memberProcedure({
    summary: 'Who is expected, by name; pages of `limit` after the given entry.',
    input: {
      role: Type.Optional(InvitableRole),
      /** Pupils of the class, and guardians of its pupils. */
      groupId: Type.Optional(GroupId),
      /** Those who have come, or those who have not. */
      come: Type.Optional(Type.Boolean()),
      after: Type.Optional(RosterEntryId),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: rosterLimits.pageSize })),
    },
    output: strict({
      entries: Type.Array(RosterEntry),
      hasMore: Type.Boolean(),
      /** In the whole school. */
      counts: Type.Array(strict({ role: InvitableRole, expected: amount, come: amount })),
    }),
    errors: ['NOT_FOUND'],
    limit: perMinute(120),
  }),
  listImports: memberProcedure({
    summary: 'The files of the last day that people were imported from, the newest first.',
    input: {},
    output: strict({ imports: Type.Array(Import) }),
    limit: perMinute(120),
  }),
  listImportRows: memberProcedure({
    summary: 'What an import would change, or changed, line by line; pages after the given place.',
    input: {
      importId: ImportId,
      kind: Type.Optional(ImportRowKind),
      role: Type.Optional(InvitableRole),
      after: Type.Optional(amount),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: rosterLimits.rowsPage })),
    },
    output: strict({ import: Import, rows: Type.Array(ImportRow), hasMore: Type.Boolean() }),
    errors: ['NOT_FOUND'],
  }),
  applyImport: memberProcedure({
    summary:
      'Begins to apply a preview as a whole, with everything that can be used of it; `school.importChanged` tells how it ended. Asked again it changes nothing.',
    input: { importId: ImportId },
    output: strict({ import: Import }),
    errors: ['NOT_FOUND', 'CONFLICT', 'IMPORT_STALE'],
    limit: perMinute(60),
  }),
});

export const rosterEvents = events('school', {
  importChanged: contractEvent({
    summary: 'An import was read, applied, or failed. Goes to administrators.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId, import: Import }),
  }),
  rosterChanged: contractEvent({
    summary: 'The roster of expected people changed; asked again if it is shown. Goes to administrators.',
    audience: 'membership',
    payload: strict({ membershipId: MembershipId }),
  }),
});
