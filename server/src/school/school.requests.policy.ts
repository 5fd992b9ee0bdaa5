import { CodedError, type MembershipId, mayRequest, ownGroupsOf, type RequestedAction } from '@zvonok/shared';
import type { Transaction } from '../platform/database.ts';
import { seenAmong } from './school.directory.store.ts';
import { loadFacts } from './school.facts.store.ts';
import { directoryScopeOf, isStaff, type MemberFacts } from './school.policy.ts';
import { findOpenClass } from './school.store.ts';

/** Whoever is asked about, of those whom the asker may see. @throws CodedError NOT_FOUND */
async function requireSeen(tx: Transaction, asker: MemberFacts, id: MembershipId): Promise<MemberFacts> {
  const { schoolId } = asker;
  const facts = (await loadFacts(tx, schoolId, [id])).get(id);
  const seen = await seenAmong(tx, schoolId, directoryScopeOf(asker), [id]);
  if (facts === undefined || !seen.has(id)) throw new CodedError('NOT_FOUND');
  return facts;
}

/** A pupil of the classes that somebody leads, where they are bound to those. @throws CodedError NOT_FOUND */
function requireOwnPupil(asker: MemberFacts, pupil: MemberFacts): void {
  if (asker.standings.includes('HD')) return;
  const { role, groupId } = pupil;
  if (role === 'pupil' && groupId !== null && ownGroupsOf('CT', asker).includes(groupId)) return;
  throw new CodedError('NOT_FOUND');
}

/**
 * Whether somebody may ask for this now: their cell of the table says `rq`, and what they name is theirs to know. Asked
 * when the request is made and again when it is decided.
 *
 * @throws CodedError FORBIDDEN, NOT_FOUND, WRONG_ROLE, VALIDATION
 */
export async function requireMayAsk(
  tx: Transaction,
  asker: MemberFacts,
  what: RequestedAction,
): Promise<void> {
  const refuseUnless = (granted: boolean) => {
    if (!granted) throw new CodedError('FORBIDDEN');
  };
  switch (what.kind) {
    case 'ownVerification':
      return refuseUnless(asker.standings.includes('TU'));
    case 'verifyTeacher': {
      refuseUnless(mayRequest('verifyTeacher', asker));
      const target = await requireSeen(tx, asker, what.membershipId);
      refuseUnless(target.accountId !== asker.accountId);
      if (!isStaff(target.role)) throw new CodedError('WRONG_ROLE');
      return;
    }
    case 'editSchool':
      refuseUnless(mayRequest('editSchool', asker));
      if (Object.keys(what.card).length === 0) {
        throw new CodedError('VALIDATION', { message: '/what/card: names no field' });
      }
      return;
    case 'attachTeacher': {
      refuseUnless(mayRequest('attachTeachers', asker));
      const target = await requireSeen(tx, asker, what.membershipId);
      if (target.role !== 'teacher') throw new CodedError('WRONG_ROLE');
      if ((await findOpenClass(tx, asker.schoolId, what.groupId)) === undefined) {
        throw new CodedError('NOT_FOUND');
      }
      return;
    }
    case 'transferMember': {
      refuseUnless(mayRequest('moveMembers', asker));
      const pupil = await requireSeen(tx, asker, what.membershipId);
      requireOwnPupil(asker, pupil);
      if (pupil.role !== 'pupil') throw new CodedError('WRONG_ROLE');
      if ((await findOpenClass(tx, asker.schoolId, what.groupId)) === undefined) {
        throw new CodedError('NOT_FOUND');
      }
      return;
    }
    case 'endMembership':
      refuseUnless(mayRequest('moveMembers', asker));
      return requireOwnPupil(asker, await requireSeen(tx, asker, what.membershipId));
    case 'linkGuardian': {
      refuseUnless(asker.role !== 'guardian' && mayRequest('linkGuardian', asker));
      const guardian = await requireSeen(tx, asker, what.guardianId);
      const child = await requireSeen(tx, asker, what.childId);
      requireOwnPupil(asker, child);
      if (guardian.role !== 'guardian') throw new CodedError('WRONG_ROLE');
      return;
    }
    case 'linkOwnChild':
      return refuseUnless(asker.role === 'guardian' && mayRequest('linkGuardian', asker));
    case 'post':
      return refuseUnless(
        mayRequest(what.channel === 'general' ? 'postGeneralChannel' : 'postStaffChannel', asker),
      );
  }
}

/** The person whom a request is about. */
export function aboutOf(what: RequestedAction, asker: MembershipId): MembershipId | null {
  switch (what.kind) {
    case 'ownVerification':
    case 'linkOwnChild':
      return asker;
    case 'verifyTeacher':
    case 'attachTeacher':
    case 'transferMember':
    case 'endMembership':
      return what.membershipId;
    case 'linkGuardian':
      return what.guardianId;
    default:
      return null;
  }
}
