import {
  isSet,
  type Permission,
  rightOf,
  type SchoolSettings,
  type Standing,
  settingNames,
  standings,
} from '@zvonok/shared';
import { describe, expect, it } from 'vitest';
import type { Person, Rooms } from './rooms.ts';
import type { TestSchool } from './school.ts';

/** Rows whose actions need a media worker: `tests/media/permissions.test.ts` walks them. */
export const walkedInCalls = [
  'startDirectCall',
  'startGroupCall',
  'useLessonMedia',
  'hostLesson',
] as const satisfies readonly Permission[];

/** Who stands for each column. The operator is no member of a school: no procedure of a room can be called as one. */
export const holders: Record<Exclude<Standing, 'PO'>, (school: TestSchool) => Person> = {
  SA: (school) => school.admin,
  HD: (school) => school.head,
  CT: (school) => school.classTeacher,
  ST: (school) => school.subjectTeacher,
  TU: (school) => school.unverified,
  SU: (school) => school.pupil,
  PV: (school) => school.guardian,
  PU: (school) => school.unlinked,
};
export type Holder = keyof typeof holders;
export const holderStandings = standings.filter((standing) => standing !== 'PO');
const isHolder = (standing: Standing): standing is Holder => standing !== 'PO';

/** Resolves to what was done, or the code of the refusal. */
export type Attempt = () => Promise<string>;

/** Prepares an object, of the person's own or not, and answers how to try the action on it. */
export interface Walk {
  readonly prepare: (person: Person, own: boolean, standing: Holder) => Promise<Attempt> | Attempt;
  /** Codes that a refusal may have. */
  readonly denied: readonly string[];
  /** Columns for which the row can be tried at all; all unless given. */
  readonly only?: readonly Holder[];
  /** Cells that can't be walked yet, and why. */
  readonly notYet?: Partial<Record<Holder, string>>;
  /** Clears away what was prepared, after each cell. */
  readonly after?: () => Promise<unknown>;
}

/** A hash of everything that is stored, by table. */
async function fingerprint({ platform }: Rooms): Promise<Record<string, string>> {
  const { client } = platform.database;
  const tables = await client.unsafe(
    `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
  );
  const result: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await client.unsafe(
      `select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as hash from "${name}" t`,
    );
    result[name] = row?.hash;
  }
  return result;
}

/**
 * One test for each cell and each side of it. What the table grants must work; what it denies must be refused with the
 * right code and leave every table of the database as it was. `ground` is asked when the tests run.
 */
export function walkPermissions(
  walks: Partial<Record<Permission, Walk>>,
  ground: () => { readonly rooms: Rooms; readonly school: TestSchool },
): void {
  for (const [permission, walk] of Object.entries(walks) as [Permission, Walk][]) {
    describe(permission, () => {
      for (const standing of standings) {
        if (!isHolder(standing) || walk.notYet?.[standing] !== undefined) continue;
        if (walk.only !== undefined && !walk.only.includes(standing)) continue;
        const name = settingNames.find((each) => each === `${permission}.${standing}`);
        const unset: SchoolSettings = {};
        // A cell that a school may set is walked as the table has it, and set the other way.
        const variants = name === undefined ? [unset] : [unset, { [name]: !isSet(name, unset) }];
        for (const settings of variants) {
          for (const own of [true, false]) walkCell(permission, walk, standing, settings, own);
        }
      }
    });
  }

  function walkCell(
    permission: Permission,
    walk: Walk,
    standing: Holder,
    settings: SchoolSettings,
    own: boolean,
  ): void {
    const right = rightOf(permission, standing, settings);
    const granted =
      ['Y', 'school'].includes(right) || (['own', 'staff', 'granted', 'self'].includes(right) && own);
    const [name, on] = Object.entries(settings)[0] ?? [];
    const set = name === undefined ? '' : ` set ${on ? 'on' : 'off'}`;
    it(`${standing} ${right}${set}: ${granted ? 'works' : 'is refused'} on ${own ? 'one’s own' : 'another’s'}`, async () => {
      const { rooms, school } = ground();
      const change = (changed: SchoolSettings) =>
        rooms.call('school.changeSettings', school.admin, { settings: changed });
      try {
        if (name !== undefined) await change(settings);
        const attempt = await walk.prepare(holders[standing](school), own, standing);
        if (granted) {
          expect(await attempt()).toBe('ok');
          return;
        }
        const before = await fingerprint(rooms);
        expect(walk.denied).toContain(await attempt());
        expect(await fingerprint(rooms)).toEqual(before);
      } finally {
        if (name !== undefined) await change({ [name]: !on });
        await walk.after?.();
      }
    });
  }
}
