import { deskProcedures } from '@zvonok/shared';
import { type AccountContext, type MountedProcedure, mount } from '../platform/procedures.ts';
import type { DeskActions } from './desk.actions.ts';
import type { SchoolDesk } from './desk.schools.actions.ts';

const byOf = ({ caller, address }: AccountContext) => ({ accountId: caller.accountId, address });

export function mountDesk(actions: DeskActions, schools: SchoolDesk): MountedProcedure[] {
  return mount(deskProcedures, {
    'desk.submitApplication': (input, context) => actions.submitApplication(input, context),
    'desk.getApplication': async ({ token }) => ({ application: await actions.getApplication(token) }),
    'desk.answerQuestion': async ({ token, answer }) => ({
      application: await actions.answerQuestion(token, answer),
    }),
    'desk.listApplications': (input) => actions.listApplications(input),
    'desk.approveApplication': async ({ applicationId }, context) => ({
      schoolId: await actions.approveApplication(byOf(context), applicationId),
    }),
    'desk.declineApplication': async ({ applicationId, reason }, context) => ({
      application: await actions.declineApplication(byOf(context), applicationId, reason),
    }),
    'desk.questionApplication': async ({ applicationId, question }, context) => ({
      application: await actions.questionApplication(byOf(context), applicationId, question),
    }),
    'desk.listSchools': (input) => schools.listSchools(input),
    'desk.suspendSchool': async ({ schoolId, reason }, context) => ({
      school: await schools.suspendSchool(byOf(context), schoolId, reason),
    }),
    'desk.resumeSchool': async ({ schoolId }, context) => ({
      school: await schools.resumeSchool(byOf(context), schoolId),
    }),
    'desk.appointAdministrator': async (input, context) => ({
      school: await schools.appointAdministrator(byOf(context), input),
    }),
    'desk.listRecords': (input) => schools.listRecords(input),
  });
}
