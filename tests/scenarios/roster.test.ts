import type { Import } from '@zvonok/client-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { createSchoolFixture, type SchoolFixture } from '../harness/school.ts';

let running: RunningApp;
let school: SchoolFixture;
beforeAll(async () => {
  running = await startApp();
  school = await createSchoolFixture(running, 'Школа №29', '+7912000');
});
afterAll(() => running?.stop());

it('Import and export of people: a table is shown, confirmed and followed; who stands on it comes by their phone', async () => {
  const admin = await running.signIn(school.admin.phone);
  const as = school.admin.membershipId;
  const heard: Import[] = [];
  admin.on('school.importChanged', (event) => void heard.push(event.import));
  const table = new Blob(['ФИО;Роль;Класс;Телефон\nКотов Ян;ученик;5А;+79120009001\nБез Класса;ученик;;\n']);
  const { id: importId, state } = await admin.school.importTable(as, table, 'Пятый класс.csv');
  expect(state).toBe('reading');
  const told = (wanted: Import['state']) =>
    expect
      .poll(() => heard.some((each) => each.id === importId && each.state === wanted), { timeout: 30_000 })
      .toBe(true);
  await told('ready');
  const { rows } = await admin.school.listImportRows({ as, importId });
  expect(rows.map((row) => row.kind)).toEqual(expect.arrayContaining(['group', 'new', 'error', 'missing']));
  await admin.school.applyImport({ as, importId });
  await told('applied');

  const pupil = await running.signIn('+79120009001');
  const session = pupil.session.getSnapshot();
  expect(session).toMatchObject({
    state: 'signedIn',
    memberships: [{ role: 'pupil', fullName: 'Котов Ян', groupName: '5А' }],
  });
  const { name, table: given } = await admin.school.exportTable(as, 'csv');
  expect(name).toMatch(/^people-.*\.csv$/);
  expect(await given.text()).toContain('Котов Ян;Ученик;5А;8 (912) 000-90-01');
  await expect(pupil.school.exportTable(as, 'csv')).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
