import type {
  GroupId,
  ImportFault,
  ImportNote,
  ImportRow,
  ImportValues,
  InvitableRole,
  MembershipId,
  RosterColumn,
  RosterEntryId,
} from '@zvonok/shared';
import { normaliseLabel } from './school.names.ts';
import { groupKeyOf, matchKeyOf, mayBeSamePerson } from './school.roster.names.ts';
import type { ParsedRow } from './school.roster.sheet.ts';

/** Somebody whom the school knows: a member, somebody who is expected, or both. */
export interface KnownPerson {
  /** The entry's id, or the membership's where there is no entry. */
  readonly key: string;
  readonly entryId: RosterEntryId | null;
  /** Null while they have not come. */
  readonly membershipId: MembershipId | null;
  readonly role: InvitableRole;
  readonly fullName: string;
  readonly groupId: GroupId | null;
  /** E.164: the account's own where they have come, and the one of the entry. The first is shown. */
  readonly phones: readonly string[];
  readonly externalId: string | null;
  /** Keys of a guardian's children. */
  readonly children: readonly string[];
  readonly attachments: readonly { readonly groupId: GroupId; readonly subject: string | null }[];
}

export interface RosterState {
  /** Active classes. */
  readonly groups: readonly { readonly id: GroupId; readonly name: string }[];
  readonly people: readonly KnownPerson[];
}

/** A group by its id, or one that the import makes by its key. */
type GroupRef = string;
/** A person by the key of somebody known, or by the line that brings them. */
type PersonRef = string;

/** What is written for one person. */
export interface PlannedPerson {
  readonly ref: PersonRef;
  /** The entry that is changed; null: one is made. */
  readonly entryId: RosterEntryId | null;
  /** Who came as this person. */
  readonly membershipId: MembershipId | null;
  readonly role: InvitableRole;
  readonly fullName: string;
  readonly group: GroupRef | null;
  readonly phone: string | null;
  readonly externalId: string | null;
  /** A pupil who came and is in another class from now on. */
  readonly isTransferred: boolean;
  /** Whether these differ from what the entry holds. */
  readonly isChanged: boolean;
  /** Further ones. */
  readonly children: readonly PersonRef[];
  readonly attachments: readonly { readonly group: GroupRef; readonly subject: string | null }[];
}

export interface Plan {
  readonly groups: readonly { readonly ref: GroupRef; readonly name: string }[];
  /** Those with something to write. */
  readonly people: readonly PlannedPerson[];
}

export type DiffRow = Omit<ImportRow, 'position'>;

export interface RosterDiff {
  readonly rows: readonly DiffRow[];
  readonly plan: Plan;
}

/** A line on its way through the comparison. */
interface Candidate {
  readonly row: ParsedRow;
  readonly ref: PersonRef;
  readonly role: InvitableRole;
  readonly matchKey: string;
  readonly group: GroupRef | null;
  readonly faults: { column: RosterColumn; fault: ImportFault }[];
  known: KnownPerson | undefined;
  /** Known by the name alone: a namesake, perhaps. */
  byNameAlone: boolean;
  children: PersonRef[];
}

/**
 * What a table would change in a school. It adds and corrects and takes nothing away: who is not named stays, a cell that
 * is empty changes nothing, ties to children and classes are only added.
 *
 * People are recognised by the school's own number; then by name and role, pupils by their class too, guardians by a child
 * or a phone; then by their phone; and a pupil by the name alone, where one of that name is in another class.
 */
export function diffRoster(parsed: readonly ParsedRow[], state: RosterState): RosterDiff {
  const groups = createGroups(state);
  const candidates = merged(parsed).flatMap((row): Candidate[] =>
    row.role === null || row.faults.length > 0
      ? []
      : [
          {
            row,
            ref: `line ${row.line}`,
            role: row.role,
            matchKey: matchKeyOf(row.fullName),
            group: row.group === null ? null : groups.refOf(row.group),
            faults: [],
            known: undefined,
            byNameAlone: false,
            children: [],
          },
        ],
  );
  const isGood = (each: Candidate) => each.faults.length === 0;
  refuseDoubles(candidates);
  refusePhones(candidates, state);

  const taken = new Set<string>();
  const pupils = candidates.filter((each) => each.role === 'pupil');
  recognise(pupils, state, taken);
  refuseTakenPhones(pupils.filter(isGood), state);
  const guardians = candidates.filter((each) => each.role === 'guardian');
  findChildren(guardians.filter(isGood), pupils.filter(isGood), state, groups);
  recognise(
    candidates.filter((each) => each.role !== 'pupil'),
    state,
    taken,
  );
  refuseTakenPhones(
    candidates.filter((each) => each.role !== 'pupil' && isGood(each)),
    state,
  );
  for (const each of guardians.filter(isGood)) {
    if (each.known === undefined && each.children.length === 0) {
      each.faults.push({ column: 'child', fault: 'CHILD_MISSING' });
    }
  }

  const labels = createLabels(state, candidates, groups);
  const told = new Map(candidates.map((each) => [each.row.line, tell(each, labels, groups)]));
  const good = candidates.filter(isGood);
  const lines = merged(parsed).map((row): DiffRow => {
    const one = told.get(row.line);
    return one === undefined ? tellFaults(row, row.faults) : one.row;
  });
  const planned = good.flatMap((each) => told.get(each.row.line)?.planned ?? []);
  // Children whom the file does not name and who came without an entry: a tie needs one.
  const known = new Map(state.people.map((person) => [person.key, person]));
  const refs = new Set(planned.map((each) => each.ref));
  const further = new Set(planned.flatMap((each) => each.children).filter((ref) => !refs.has(ref)));
  const withoutEntry = [...further]
    .flatMap((ref) => known.get(ref) ?? [])
    .filter((each) => each.entryId === null);
  const needed = new Set(good.flatMap((each) => groupsOf(each)));
  const made = groups.made().filter((group) => needed.has(group.ref));
  const unread = new Set(
    lines.filter((each) => each.kind === 'error').map((each) => `${each.role} ${matchKeyOf(each.name)}`),
  );
  const missing = state.people
    // Whoever stands on a line with a fault is not missing.
    .filter(
      (person) => !taken.has(person.key) && !unread.has(`${person.role} ${matchKeyOf(person.fullName)}`),
    )
    .sort(
      (one, other) => one.role.localeCompare(other.role) || one.fullName.localeCompare(other.fullName, 'ru'),
    )
    .map(
      (person): DiffRow => ({
        ...nothing,
        kind: 'missing',
        role: person.role,
        name: person.fullName,
        group: person.groupId === null ? null : groups.nameOf(person.groupId),
      }),
    );
  return {
    rows: [
      ...made.map(({ name }): DiffRow => ({ ...nothing, kind: 'group', name, after: { group: name } })),
      ...lines,
      ...missing,
    ],
    plan: { groups: made, people: [...withoutEntry.map(asTheyAre), ...planned] },
  };

  function groupsOf(each: Candidate): GroupRef[] {
    return [
      ...(each.group === null ? [] : [each.group]),
      ...each.row.attachments.map((attachment) => groups.refOf(attachment.group)),
    ];
  }
}

const nothing = {
  line: null,
  role: null,
  group: null,
  before: null,
  after: null,
  faults: [],
  notes: [],
} as const satisfies Partial<DiffRow>;

const asTheyAre = (person: KnownPerson): PlannedPerson => ({
  ref: person.key,
  entryId: person.entryId,
  membershipId: person.membershipId,
  role: person.role,
  fullName: person.fullName,
  group: person.groupId,
  phone: null,
  externalId: null,
  isTransferred: false,
  isChanged: true,
  children: [],
  attachments: [],
});

/** A guardian with several children may stand on several lines; the number or the phone tells that it is one person. */
function merged(parsed: readonly ParsedRow[]): ParsedRow[] {
  const first = new Map<string, ParsedRow>();
  const result: ParsedRow[] = [];
  for (const row of parsed) {
    const same = row.externalId ?? row.phone;
    const isGuardian = row.role === 'guardian' && row.faults.length === 0 && same !== null;
    const key = `${matchKeyOf(row.fullName)} ${same}`;
    const before = isGuardian ? first.get(key) : undefined;
    if (before === undefined) {
      if (isGuardian) first.set(key, row);
      result.push(row);
      continue;
    }
    const whole: ParsedRow = {
      ...before,
      phone: before.phone ?? row.phone,
      children: [...before.children, ...row.children],
    };
    first.set(key, whole);
    result[result.indexOf(before)] = whole;
  }
  return result;
}

function createGroups(state: RosterState) {
  const names = new Map<GroupRef, string>(state.groups.map((group) => [group.id, group.name]));
  const refs = new Map<string, GroupRef>(state.groups.map((group) => [groupKeyOf(group.name), group.id]));
  const made: { ref: GroupRef; name: string }[] = [];
  return {
    refOf(name: string): GroupRef {
      const key = groupKeyOf(name);
      const known = refs.get(key);
      if (known !== undefined) return known;
      const group = { ref: `new ${key}`, name: normaliseLabel(name) };
      made.push(group);
      refs.set(key, group.ref);
      names.set(group.ref, group.name);
      return group.ref;
    },
    nameOf: (ref: GroupRef): string => names.get(ref) ?? '',
    made: () => made,
  };
}

/** Lines that name one person, number or phone twice. */
function refuseDoubles(candidates: readonly Candidate[]): void {
  const seen = new Set<string>();
  const isFirst = (key: string) => !seen.has(key) && seen.add(key) !== undefined;
  for (const each of candidates) {
    const { row, role, matchKey, group } = each;
    const family = row.phone ?? row.children.map((child) => matchKeyOf(child.fullName)).join('|');
    const place = role === 'pupil' ? group : role === 'guardian' ? family : '';
    if (!isFirst(`person ${role} ${matchKey} ${place} ${row.externalId ?? ''}`)) {
      each.faults.push({ column: 'name', fault: 'PERSON_TWICE' });
    } else if (row.externalId !== null && !isFirst(`number ${row.externalId}`)) {
      each.faults.push({ column: 'number', fault: 'NUMBER_TWICE' });
    } else if (row.phone !== null && !isFirst(`phone ${role} ${row.phone}`)) {
      each.faults.push({ column: 'phone', fault: 'PHONE_TWICE' });
    }
  }
}

/**
 * A phone lets its owner in: a pupil under a parent's phone would be the parent. Grown-ups who study, and are both already,
 * stay both.
 */
function refusePhones(candidates: readonly Candidate[], state: RosterState): void {
  const ofAdults = new Set([
    ...state.people.filter((person) => person.role !== 'pupil').flatMap((person) => person.phones),
    ...candidates.filter((each) => each.role !== 'pupil').flatMap((each) => each.row.phone ?? []),
  ]);
  const ofPupils = new Set(
    state.people.filter((person) => person.role === 'pupil').flatMap((person) => person.phones),
  );
  for (const { role, row, faults } of candidates) {
    const { phone } = row;
    if (role === 'pupil' && phone !== null && ofAdults.has(phone) && !ofPupils.has(phone)) {
      faults.push({ column: 'phone', fault: 'PHONE_OF_ADULT' });
    }
  }
}

function refuseTakenPhones(candidates: readonly Candidate[], state: RosterState): void {
  const owners = new Map<string, KnownPerson[]>();
  for (const person of state.people) {
    for (const phone of person.phones) {
      const key = `${person.role} ${phone}`;
      owners.set(key, [...(owners.get(key) ?? []), person]);
    }
  }
  for (const each of candidates) {
    const others = (owners.get(`${each.role} ${each.row.phone}`) ?? []).filter(
      (person) => person !== each.known,
    );
    if (others.length > 0) each.faults.push({ column: 'phone', fault: 'PHONE_TAKEN' });
  }
}

/** Finds for each line whom it is about, the surest signs first for all lines, so that nobody takes a namesake's place. */
function recognise(candidates: readonly Candidate[], state: RosterState, taken: Set<string>): void {
  const byNumber = new Map(
    state.people.flatMap((person) =>
      person.externalId === null ? [] : [[person.externalId, person] as const],
    ),
  );
  const byName = Map.groupBy(state.people, (person) => `${person.role} ${matchKeyOf(person.fullName)}`);
  const byPhone = new Map(
    state.people.flatMap((person) =>
      person.phones.map((phone) => [`${person.role} ${phone}`, person] as const),
    ),
  );
  const take = (each: Candidate, person: KnownPerson) => {
    each.known = person;
    taken.add(person.key);
  };
  const open = () => candidates.filter((each) => each.faults.length === 0 && each.known === undefined);
  const isFree = (each: Candidate, person: KnownPerson) =>
    !taken.has(person.key) &&
    (person.externalId === null || each.row.externalId === null || person.externalId === each.row.externalId);

  for (const each of open()) {
    const person = each.row.externalId === null ? undefined : byNumber.get(each.row.externalId);
    if (person === undefined) continue;
    if (person.role !== each.role) each.faults.push({ column: 'role', fault: 'ROLE_DIFFERS' });
    else take(each, person);
  }
  for (const each of open()) {
    const namesakes = (byName.get(`${each.role} ${each.matchKey}`) ?? []).filter(
      (person) => isFree(each, person) && isInPlace(each, person),
    );
    const [only, ...others] = narrowed(each, namesakes);
    if (others.length > 0) each.faults.push({ column: 'name', fault: 'PERSON_AMBIGUOUS' });
    else if (only !== undefined) take(each, only);
  }
  for (const each of open()) {
    const person = each.row.phone === null ? undefined : byPhone.get(`${each.role} ${each.row.phone}`);
    if (person !== undefined && isFree(each, person)) take(each, person);
  }
  for (const each of open().filter(({ role }) => role === 'pupil')) {
    const elsewhere = (byName.get(`pupil ${each.matchKey}`) ?? []).filter((person) => isFree(each, person));
    const rivals = open().filter((other) => other.role === 'pupil' && other.matchKey === each.matchKey);
    const [only] = elsewhere;
    if (only === undefined || elsewhere.length > 1 || rivals.length > 1) continue;
    take(each, only);
    each.byNameAlone = true;
  }
}

/** Whether somebody of the same name and role is where the line says. */
function isInPlace(each: Candidate, person: KnownPerson): boolean {
  if (each.role === 'pupil') return person.groupId === each.group;
  if (each.role !== 'guardian') return true;
  const { phone } = each.row;
  return (
    (phone !== null && person.phones.includes(phone)) ||
    each.children.some((ref) => person.children.includes(ref))
  );
}

/** Of several namesakes the one whose phone the line has. */
function narrowed(each: Candidate, namesakes: readonly KnownPerson[]): readonly KnownPerson[] {
  const { phone } = each.row;
  if (namesakes.length < 2 || phone === null) return namesakes;
  const same = namesakes.filter((person) => person.phones.includes(phone));
  return same.length > 0 ? same : namesakes;
}

function findChildren(
  guardians: readonly Candidate[],
  pupils: readonly Candidate[],
  state: RosterState,
  groups: ReturnType<typeof createGroups>,
): void {
  const named = new Set(pupils.flatMap((each) => each.known?.key ?? []));
  const everybody = [
    ...pupils.map((each) => ({
      ref: each.known?.key ?? each.ref,
      matchKey: each.matchKey,
      group: each.group,
    })),
    ...state.people
      .filter((person) => person.role === 'pupil' && !named.has(person.key))
      .map((person) => ({ ref: person.key, matchKey: matchKeyOf(person.fullName), group: person.groupId })),
  ];
  const byName = Map.groupBy(everybody, (pupil) => pupil.matchKey);
  const byGroup = Map.groupBy(everybody, (pupil) => pupil.group);
  for (const each of guardians) {
    for (const child of each.row.children) {
      const key = matchKeyOf(child.fullName);
      const group = child.group === null ? undefined : groups.refOf(child.group);
      const exact = (byName.get(key) ?? []).filter((pupil) => group === undefined || pupil.group === group);
      const found =
        exact.length > 0 || group === undefined
          ? exact
          : (byGroup.get(group) ?? []).filter((pupil) => mayBeSamePerson(pupil.matchKey, key));
      const [only, ...others] = found;
      if (only === undefined || others.length > 0) {
        each.faults.push({
          column: 'child',
          fault: only === undefined ? 'CHILD_UNKNOWN' : 'CHILD_AMBIGUOUS',
        });
        break;
      }
      if (!each.children.includes(only.ref)) each.children.push(only.ref);
    }
  }
}

/** How people and their ties are written in a preview. */
function createLabels(
  state: RosterState,
  candidates: readonly Candidate[],
  groups: ReturnType<typeof createGroups>,
) {
  const children = new Map<PersonRef, string>([
    ...state.people.map(
      (person) => [person.key, childLabel(person.fullName, groupName(person.groupId))] as const,
    ),
    ...candidates.map(
      (each) => [each.known?.key ?? each.ref, childLabel(each.row.fullName, groupName(each.group))] as const,
    ),
  ]);
  function groupName(ref: GroupRef | null): string | null {
    return ref === null ? null : groups.nameOf(ref);
  }
  return {
    groupName,
    children: (refs: readonly PersonRef[]) => refs.map((ref) => children.get(ref) ?? '').join(' | '),
    leads: (list: Teaching) =>
      ledLabel(list.filter((each) => each.subject === null).map((each) => groups.nameOf(each.group))),
    subjects: (list: Teaching) =>
      taughtLabel(
        list.flatMap(({ subject, group }) =>
          subject === null ? [] : [{ subject, group: groups.nameOf(group) }],
        ),
      ),
  };
}

type Teaching = readonly { readonly group: GroupRef; readonly subject: string | null }[];

export const childLabel = (fullName: string, group: string | null): string =>
  group === null ? fullName : `${fullName}; ${group}`;
export const ledLabel = (groups: readonly string[]): string => groups.join(', ');
/** «Алгебра: 7Б, 8А; Геометрия: 7Б». */
export const taughtLabel = (
  taught: readonly { readonly subject: string; readonly group: string }[],
): string =>
  [...Map.groupBy(taught, (each) => each.subject)]
    .map(([subject, list]) => `${subject}: ${list.map((each) => each.group).join(', ')}`)
    .join('; ');

const tellFaults = (row: ParsedRow, faults: DiffRow['faults']): DiffRow => ({
  ...nothing,
  kind: 'error',
  line: row.line,
  role: row.role,
  name: row.fullName,
  group: row.group,
  // In one order of fields, wherever the line comes from: the preview has a fingerprint.
  faults: faults.map(({ column, fault }) => ({ column, fault })),
});

/** The line as the preview shows it, and what is written for it. */
function tell(
  each: Candidate,
  labels: ReturnType<typeof createLabels>,
  groups: ReturnType<typeof createGroups>,
): { row: DiffRow; planned: PlannedPerson[] } {
  const { row, known, role } = each;
  if (each.faults.length > 0) return { row: tellFaults(row, each.faults), planned: [] };
  const before: { -readonly [Column in keyof ImportValues]: ImportValues[Column] } = {};
  const after: typeof before = {};
  const notes: ImportNote[] = [];
  const change = (column: RosterColumn, from: string | null, to: string) => {
    if (from !== null && from !== '') before[column] = from;
    if (to !== '') after[column] = to;
  };
  const came = known !== undefined && known.membershipId !== null;
  const wanted = row.attachments.map(({ group, subject }) => ({ group: groups.refOf(group), subject }));
  const had: Teaching = (known?.attachments ?? []).map(({ groupId, subject }) => ({
    group: groupId,
    subject,
  }));
  const attachments = wanted.filter(
    (one) => !had.some((other) => other.group === one.group && sameSubject(other.subject, one.subject)),
  );
  const children = each.children.filter((ref) => known?.children.includes(ref) !== true);

  const renamed = known === undefined || known.fullName !== row.fullName;
  const moved = known !== undefined && each.group !== known.groupId && role === 'pupil';
  // Who came is a child with chats and teachers: a name is not enough to send them elsewhere.
  const stays = came && moved && each.byNameAlone;
  const phone = row.phone !== null && known?.phones.includes(row.phone) !== true ? row.phone : null;
  const externalId = row.externalId !== null && row.externalId !== known?.externalId ? row.externalId : null;
  if (renamed && known !== undefined) change('name', known.fullName, row.fullName);
  if (moved || known === undefined) {
    change('group', labels.groupName(known?.groupId ?? null), labels.groupName(each.group) ?? '');
  }
  if (phone !== null && !came) change('phone', known?.phones[0] ?? null, phone);
  if (externalId !== null) change('number', known?.externalId ?? null, externalId);
  if (children.length > 0) {
    change(
      'child',
      labels.children(known?.children ?? []),
      labels.children([...(known?.children ?? []), ...children]),
    );
  }
  if (attachments.some((one) => one.subject === null)) {
    change('leads', labels.leads(had), labels.leads([...had, ...attachments]));
  }
  if (attachments.some((one) => one.subject !== null)) {
    change('subjects', labels.subjects(had), labels.subjects([...had, ...attachments]));
  }
  if (came && renamed) notes.push('renameByHand');
  if (stays) notes.push('moveByHand');
  if (came && phone !== null) notes.push('phoneKept');

  const isDifferent = Object.keys(after).length > 0;
  const kind = known === undefined ? 'new' : moved ? 'moved' : isDifferent ? 'changed' : 'unchanged';
  const planned: PlannedPerson = {
    ref: known?.key ?? each.ref,
    entryId: known?.entryId ?? null,
    membershipId: known?.membershipId ?? null,
    role,
    fullName: came ? known.fullName : row.fullName,
    group: stays ? known.groupId : each.group,
    // Who came signs in by the phone of their account.
    phone: came ? null : (row.phone ?? known?.phones[0] ?? null),
    externalId: row.externalId ?? known?.externalId ?? null,
    isTransferred: came && moved && !stays,
    isChanged:
      known?.entryId == null ||
      externalId !== null ||
      (moved && !stays) ||
      (!came && (renamed || phone !== null)),
    children,
    attachments,
  };
  const hasWork = planned.isChanged || children.length > 0 || attachments.length > 0;
  return {
    row: {
      kind,
      line: row.line,
      role,
      name: row.fullName,
      group: labels.groupName(each.group),
      before: Object.keys(before).length > 0 ? before : null,
      after: isDifferent ? after : null,
      faults: [],
      notes,
    },
    planned: hasWork ? [planned] : [],
  };
}

const sameSubject = (one: string | null, other: string | null) =>
  one === null || other === null ? one === other : matchKeyOf(one) === matchKeyOf(other);
