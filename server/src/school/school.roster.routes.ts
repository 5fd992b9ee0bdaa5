import { rosterProcedures } from '@zvonok/shared';
import { type MountedProcedure, mount } from '../platform/procedures.ts';
import type { RosterActions } from './school.roster.actions.ts';

export function mountRoster(actions: RosterActions): MountedProcedure[] {
  return mount(rosterProcedures, {
    'school.listRoster': (input, { actor }) => actions.listRoster(actor, input),
    'school.listImports': async (_input, { actor }) => ({ imports: await actions.listImports(actor) }),
    'school.listImportRows': (input, { actor }) => actions.listImportRows(actor, input),
    'school.applyImport': async ({ importId }, { actor }) => ({
      import: await actions.applyImport(actor, importId),
    }),
  });
}
