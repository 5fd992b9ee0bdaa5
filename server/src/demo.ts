import type { SchoolId } from '@zvonok/shared';
import { createActors, type Stage } from './demo/demo.actors.ts';
import { cast } from './demo/demo.cast.ts';
import { playKindergarten, playOperator } from './demo/demo.desk.ts';
import { foundSchool } from './demo/demo.founding.ts';
import { playSchool, type SchoolSecrets } from './demo/demo.school.ts';
import { forgetEverything } from './demo/demo.store.ts';
import { UnfitDatabaseError } from './platform/database.ts';
import { demoDataFact, findFact, writeFact } from './platform/facts.store.ts';

export { demoTable } from './demo/demo.table.ts';

/** While the story is played, this; then what is shown of it at each start. Absent where there is none. */
const demoStoryFact = 'demoStory';
const playing = 'playing';

/** The school as it stands on its first day, without the story: for tests. */
export async function seedDemoSchool(stage: Stage): Promise<SchoolId> {
  requireDemo(stage);
  return stage.platform.database.inTransaction((tx) => foundSchool(tx, stage));
}

/**
 * Makes the demo once, before anybody is served: a school in the middle of its year, a kindergarten, and schools that
 * apply. It is founded in one transaction, and then its people act. One that was interrupted is made anew; seeded again it
 * changes nothing. `say`: to the terminal, never the log. Resolves to what the terminal shows, undefined for a demo of a version that had no story.
 *
 * @throws Error outside demo mode; UnfitDatabaseError for a database with schools of somebody's own
 */
export async function seedDemo(
  stage: Stage,
  say: (line: string) => void,
): Promise<SchoolSecrets | undefined> {
  requireDemo(stage);
  const { database, logger } = stage.platform;
  const known = await findFact(database, demoStoryFact);
  if (known !== undefined && known !== playing) return JSON.parse(known) as SchoolSecrets;
  if (known === undefined && (await findFact(database, demoDataFact)) !== undefined) return undefined;
  say('Making the demo school…');
  const schoolId = await database.inTransaction(async (tx) => {
    if (known === playing) await forgetEverything(tx);
    else await refuseOwnSchools(stage);
    await writeFact(tx, demoStoryFact, playing);
    return foundSchool(tx, stage);
  });
  const actors = createActors(stage);
  const [secrets, motherToken] = await Promise.all([
    playSchool(actors, schoolId),
    playOperator(actors, stage).then((id) => playKindergarten(actors, id)),
  ]);
  await actors.redeem(cast.mother, motherToken, 'Ковалёва Елена Андреевна');
  await database.inTransaction((tx) => writeFact(tx, demoStoryFact, JSON.stringify(secrets)));
  logger.info('demo made');
  return secrets;
}

function requireDemo({ platform }: Stage): void {
  if (!platform.config.demo) throw new Error('Demo data belongs to demo mode alone.');
}

/** Once it holds demo data, a database is good for nothing else. */
async function refuseOwnSchools({ platform, school }: Stage): Promise<void> {
  const page = { search: undefined, after: undefined, limit: 1 };
  if ((await school.operator.listHosted(platform.database, page))?.length === 0) return;
  throw new UnfitDatabaseError([
    'It holds schools of your own, and the server would make its demo beside them. Set PUBLIC_URL and ' +
      'SMS_URL_TEMPLATE to run it for them, or another DATA_DIR to try the demo.',
  ]);
}
