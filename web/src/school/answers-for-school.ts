import { type MyMembership, rightOf } from '@zvonok/client-sdk';

/** Administrators and heads: who reads all of the audit log is told what the school must know. */
export const answersForSchool = ({ standings, settings }: MyMembership): boolean =>
  standings.some((standing) => rightOf('seeAuditLog', standing, settings) === 'school');
