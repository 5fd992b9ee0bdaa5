import { deskProcedures } from '@zvonok/shared';
import { type MountedProcedure, mount } from '../platform/procedures.ts';
import type { DeskActions } from './desk.actions.ts';
import type { SchoolDesk } from './desk.schools.actions.ts';

export function mountDesk(actions: DeskActions, schools: SchoolDesk): MountedProcedure[] {
  return mount(deskProcedures, {
    'desk.submitApplication': ({ form }, context) => actions.submitApplication(form, context),
    'desk.getApplication': async ({ token }) => ({ application: await actions.getApplication(token) }),
    'desk.answerQuestion': async ({ token, answer }) => ({
      application: await actions.answerQuestion(token, answer),
    }),
    'desk.listApplications': (input) => actions.listApplications(input),
    'desk.approveApplication': async ({ applicationId }, { caller }) => ({
      schoolId: await actions.approveApplication(caller, applicationId),
    }),
    'desk.declineApplication': async ({ applicationId, reason }, { caller }) => ({
      application: await actions.declineApplication(caller, applicationId, reason),
    }),
    'desk.questionApplication': async ({ applicationId, question }) => ({
      application: await actions.questionApplication(applicationId, question),
    }),
    'desk.listSchools': (input) => schools.listSchools(input),
    'desk.suspendSchool': async ({ schoolId, reason }) => ({
      school: await schools.suspendSchool(schoolId, reason),
    }),
    'desk.resumeSchool': async ({ schoolId }) => ({ school: await schools.resumeSchool(schoolId) }),
  });
}
