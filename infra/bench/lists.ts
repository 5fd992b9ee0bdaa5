import { openDatabase } from '../../server/src/platform/database.ts';
import type { Bench } from './bench.ts';
import { BenchError } from './bench-error.ts';
import { type BigSchool, seedBigSchool } from './big-school.ts';
import { openBenchDatabase } from './database.ts';
import { quantile, round } from './figures.ts';
import { startZvonok } from './servers.ts';

/** Of each list, in each round. */
const callsOfRound = 20;

interface Question {
  readonly name: string;
  readonly procedure: string;
  readonly input: object;
}

/** What the administrator's desk asks, at its worst: the longest page, each filter, a search that finds nothing. */
function questionsOf(school: BigSchool): Question[] {
  const { groupId, inviteId, importId, pupilId, guardianId, endedId, teacherId } = school;
  const year = new Date(Date.now() - 30 * 24 * 3_600_000).toISOString();
  const listed = (procedure: string, ...inputs: readonly (readonly [label: string, input: object])[]) =>
    inputs.map(([label, input]) => ({ name: `${procedure} ${label}`.trim(), procedure, input }));
  return [
    ...listed(
      'listMembers',
      ['', {}],
      ['role guardian', { role: 'guardian' }],
      ['role pupil', { role: 'pupil' }],
      ['of a class', { groupId }],
      ['unverified staff', { filter: 'unverifiedStaff' }],
      ['guardians without a child', { filter: 'guardiansWithoutChild' }],
      ['pupils without a guardian', { filter: 'pupilsWithoutGuardian' }],
      ['ended', { filter: 'ended' }],
      ['search name', { search: 'иван сок' }],
      ['search phone', { search: '0001234' }],
      ['search nobody', { search: 'щщщ' }],
      ['search of a class', { search: 'иван', groupId }],
      ['after', { after: pupilId }],
    ),
    ...listed(
      'countMembers',
      ['', {}],
      ['of a class', { groupId }],
      ['search', { search: 'иван' }],
      ['phone', { search: '0001234' }],
    ),
    ...listed(
      'getMember',
      ['pupil', { membershipId: pupilId }],
      ['guardian', { membershipId: guardianId }],
      ['teacher', { membershipId: teacherId }],
      ['ended', { membershipId: endedId }],
    ),
    ...listed('getOverview', ['', {}]),
    ...listed('listClasses', ['', { state: 'open' }], ['search', { state: 'open', search: 'б' }]),
    ...listed('getClass', ['', { groupId }]),
    ...listed('getClassRegister', ['', { groupId }]),
    ...listed(
      'listRoster',
      ['', {}],
      ['role guardian', { role: 'guardian' }],
      ['of a class', { groupId }],
      ['come', { come: true }],
      ['not come', { come: false, role: 'pupil' }],
    ),
    ...listed('listInvites', ['', {}], ['personal', { personal: true }], ['of a class', { groupId }]),
    ...listed('listRedemptions', ['', { inviteId }]),
    ...listed('listJoinRequests', ['open', { state: 'open' }], ['decided', { state: 'decided' }]),
    ...listed(
      'listRequests',
      ['open', { which: 'toDecide', state: 'open' }],
      ['closed', { which: 'toDecide', state: 'closed' }],
    ),
    ...listed('listNotices', ['open', { state: 'open' }], ['settled', { state: 'settled' }]),
    ...listed(
      'listAuditRecords',
      ['', {}],
      ['by', { by: school.as }],
      ['of a member', { member: pupilId }],
      ['action', { action: 'memberTransferred' }],
      ['an action that never was', { action: 'headDismissed' }],
      ['until', { until: year }],
      [
        'by, action, from, until',
        { by: school.as, action: 'inviteMade', from: '2020-01-01T00:00:00.000Z', until: year },
      ],
    ),
    ...listed('listImports', ['', {}]),
    ...listed('listImportRows', ['', { importId }], ['changed', { importId, kind: 'changed' }]),
    ...listed('findRollover', ['', {}]),
    ...listed('planRollover', ['', { choices: { classes: [], newClasses: [], teachers: [] } }]),
  ];
}

/** The lists of a school of 3,000 people, asked one by one by its administrator: p50 and p95 of each, in milliseconds. */
export async function measureLists(bench: Bench): Promise<Record<string, number>> {
  const database = bench.keep(await openBenchDatabase());
  bench.say('writing a school of 3,000 people');
  const connection = await openDatabase({
    url: database.url,
    poolSize: 2,
    migrate: false,
    onCommitted: () => undefined,
    applicationName: 'zvonok bench',
  });
  const school = await seedBigSchool(connection).finally(() => connection.close());
  const server = bench.keep(await startZvonok(database, bench.profileInto));
  const questions = questionsOf(school).map((question) => ({ ...question, tookMs: [] as number[] }));

  async function ask({ name, procedure, input }: Question): Promise<number> {
    const startedAt = performance.now();
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/school.${procedure}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${school.token}` },
      body: JSON.stringify({ as: school.as, ...input }),
    });
    const body = await answer.text();
    if (!answer.ok) throw new BenchError(`${name} was refused: ${body}`);
    return performance.now() - startedAt;
  }

  for (const question of questions) for (let call = 0; call < callsOfRound; call++) await ask(question);
  for (let index = 0; index < bench.rounds; index++) {
    bench.say(`round ${index + 1} of ${bench.rounds}`);
    // Each in turn: what disturbs the machine for a moment falls on all.
    for (let call = 0; call < callsOfRound; call++) {
      for (const question of questions) question.tookMs.push(await ask(question));
    }
  }
  const p95 = (each: { tookMs: readonly number[] }) => quantile(each.tookMs, 0.95);
  const ordered = questions.toSorted((one, other) => p95(other) - p95(one));
  for (const each of ordered) {
    bench.say(
      `${each.name.padEnd(42)} p50 ${quantile(each.tookMs, 0.5).toFixed(1).padStart(6)}  p95 ${p95(each).toFixed(1).padStart(6)}`,
    );
  }
  const [slowest] = ordered;
  return {
    lists: questions.length,
    slowestP95Ms: slowest === undefined ? 0 : round(p95(slowest), 1),
    over100Ms: questions.filter((each) => p95(each) > 100).length,
    p95Ms: round(
      quantile(
        questions.flatMap((each) => each.tookMs),
        0.95,
      ),
      1,
    ),
  };
}
