import { createHash } from 'node:crypto';
import {
  type Attachment,
  CodedError,
  type GroupId,
  type MembershipId,
  type RolloverChoices,
  type RolloverClass,
  type RolloverPlan,
  schoolLimits,
  type Vocabulary,
} from '@zvonok/shared';
import { normaliseLabel } from './school.names.ts';
import type { StoredGroup } from './school.store.ts';

/** The year after which pupils leave, unless an administrator says otherwise. */
const lastYears: Readonly<Record<Vocabulary, number>> = { school: 11, college: 4, kindergarten: 6 };

interface Named {
  readonly membershipId: MembershipId;
  readonly fullName: string;
}

/** What a plan is made from: the school as it is. */
export interface RolloverGround {
  readonly vocabulary: Vocabulary;
  /** Every open group, the staff room too: its name is taken. */
  readonly groups: readonly StoredGroup[];
  readonly pupils: ReadonlyMap<GroupId, number>;
  readonly teachers: readonly (Named & Attachment)[];
  /** Verified teachers: whoever may go on with a class. */
  readonly successors: ReadonlyMap<MembershipId, string>;
}

/** The year of a class, from its card or from the number that its name begins with: 7 of «7Б». */
function yearOf({ year, name }: Pick<StoredGroup, 'year' | 'name'>): number | null {
  if (year !== null) return year;
  const first = Number(/^\d{1,2}(?!\d)/.exec(name)?.[0] ?? Number.NaN);
  return first <= schoolLimits.groupYearMax ? first : null;
}

/** «7Б» in the next year is «8Б»; a name that does not tell the year stays. */
function nextName(name: string, year: number): string {
  let done = false;
  const next = name.replaceAll(/\d+/g, (digits) => {
    if (done || Number(digits) !== year) return digits;
    done = true;
    return String(year + 1);
  });
  return next.length <= schoolLimits.groupNameLength ? next : name;
}

const keyOf = (name: string) => name.toLowerCase();
const attachmentKey = (
  each: Pick<Attachment, 'groupId' | 'kind' | 'subject'> & { membershipId: MembershipId },
) => [each.groupId, each.membershipId, each.kind, each.subject ?? ''].join(' ');

/**
 * What the turn of the year does to a school with these choices. Pure: the same ground and choices make the same plan,
 * and its digest names it.
 *
 * @throws CodedError NOT_FOUND where a choice names what is not there
 */
export function planRollover(ground: RolloverGround, choices: RolloverChoices): RolloverPlan {
  const lastYear = choices.lastYear ?? lastYears[ground.vocabulary];
  const open = ground.groups.filter((group) => group.kind === 'class');
  const chosen = new Map(choices.classes.map((choice) => [choice.groupId, choice]));
  const teachers = Map.groupBy(ground.teachers, (each) => each.groupId);
  const successors = new Map(choices.teachers.map((choice) => [attachmentKey(choice), choice.toId] as const));
  const known = new Set(open.map((group) => group.id));
  const present = new Set(ground.teachers.map(attachmentKey));
  const isAbsent =
    [...chosen.keys()].some((id) => !known.has(id)) ||
    [...successors].some(
      ([key, toId]) => !present.has(key) || (toId !== null && !ground.successors.has(toId)),
    );
  if (isAbsent) throw new CodedError('NOT_FOUND');

  const classes = open
    .map((group): RolloverClass => {
      const year = yearOf(group);
      const choice = chosen.get(group.id);
      const suggested = year === null ? 'keep' : year >= lastYear ? 'graduate' : 'promote';
      const action = choice?.action ?? suggested;
      const promoted = action === 'promote';
      const given = promoted && choice?.name !== undefined ? normaliseLabel(choice.name) : undefined;
      const newYear = !promoted || year === null ? year : year < schoolLimits.groupYearMax ? year + 1 : null;
      return {
        groupId: group.id,
        name: group.name,
        year,
        pupils: ground.pupils.get(group.id) ?? 0,
        action,
        newName: given ?? (promoted && year !== null ? nextName(group.name, year) : group.name),
        newYear,
        problem: promoted && newYear === null && given === undefined ? 'noYear' : null,
        teachers: (teachers.get(group.id) ?? []).map(({ groupId: _groupId, fullName, ...each }) => {
          const key = attachmentKey({ ...each, groupId: group.id });
          const toId = successors.has(key) ? (successors.get(key) ?? null) : each.membershipId;
          const name = toId === each.membershipId ? fullName : ground.successors.get(toId as MembershipId);
          return {
            ...each,
            fullName,
            to: toId === null ? null : { membershipId: toId, fullName: name ?? fullName },
          };
        }),
      };
    })
    .sort((a, b) => (a.year ?? 99) - (b.year ?? 99) || a.name.localeCompare(b.name, 'ru', { numeric: true }));

  const newClasses = choices.newClasses.map(({ name, year }) => ({ name: normaliseLabel(name), year }));
  const taken = new Map<string, number>();
  const staying = [
    ...ground.groups.filter((group) => group.kind !== 'class').map((group) => group.name),
    ...classes.filter((each) => each.action !== 'graduate').map((each) => each.newName),
    ...newClasses.map((each) => each.name),
  ];
  for (const name of staying) taken.set(keyOf(name), (taken.get(keyOf(name)) ?? 0) + 1);
  const isTaken = (name: string) => (taken.get(keyOf(name)) ?? 0) > 1;

  const planned = {
    lastYear,
    classes: classes.map((each) =>
      each.action === 'promote' && isTaken(each.newName) ? { ...each, problem: 'nameTaken' as const } : each,
    ),
    newClasses: newClasses.map((each) => ({
      ...each,
      problem: isTaken(each.name) ? ('nameTaken' as const) : null,
    })),
  };
  const pupilsOf = (action: RolloverClass['action']) =>
    planned.classes.filter((each) => each.action === action).reduce((sum, each) => sum + each.pupils, 0);
  const problems = [...planned.classes, ...planned.newClasses].filter((each) => each.problem !== null).length;
  const plan = { ...planned, graduates: pupilsOf('graduate'), promoted: pupilsOf('promote'), problems };
  const digest = createHash('sha256').update(JSON.stringify(plan)).digest('base64url');
  return { ...plan, digest };
}
