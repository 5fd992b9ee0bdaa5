import { randomInt } from 'node:crypto';
import {
  CodedError,
  type InputOf,
  type JoinRequestId,
  joiningLimits,
  type joiningProcedures,
  type OutputOf,
  type OwnJoinRequest,
  type SchoolId,
} from '@zvonok/shared';
import { createCountedDoor } from '../platform/counted-door.ts';
import type { Reader } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { Actor, Caller } from '../platform/procedures.ts';
import { record } from './school.audit.store.ts';
import { announceJoinRequest, askToJoin } from './school.joining.requests.ts';
import {
  findClassByWords,
  findJoinCode,
  findSchoolByCode,
  listOwnRequests,
  lockOwnRequest,
  type SchoolByCode,
  writeJoinCode,
  writeWithdrawal,
} from './school.joining.store.ts';
import { normaliseLabel } from './school.names.ts';
import { requireEverywhere } from './school.policy.ts';
import { requireSelf } from './school.require.ts';
import { lockSchool } from './school.store.ts';

type Contract = typeof joiningProcedures;

/** As it is stored, however it was typed. */
export const normaliseJoinCode = (typed: string): string =>
  typed.replaceAll(/[^0-9A-Za-z]/g, '').toUpperCase();

const newJoinCode = (): string => {
  const { codeAlphabet, codeLength } = joiningLimits;
  return Array.from({ length: codeLength }, () => codeAlphabet[randomInt(codeAlphabet.length)]).join('');
};

/** The school's code, and what whoever has it asks for. */
export function createJoiningActions(platform: Platform) {
  const { database } = platform;
  const door = createCountedDoor(platform);

  async function ownRequest(reader: Reader, caller: Caller, id: JoinRequestId): Promise<OwnJoinRequest> {
    const [request] = await listOwnRequests(reader, caller.accountId, id);
    if (request === undefined) throw new CodedError('NOT_FOUND');
    return request;
  }

  /** @throws CodedError NOT_FOUND, the same for every code that opens nothing; RATE_LIMITED after too many tries */
  async function requireSchoolByCode(reader: Reader, caller: Caller, code: string): Promise<SchoolByCode> {
    await door.requireBelow('joining:codes', joiningLimits.codeTriesPerAccount, caller.accountId);
    const school = await findSchoolByCode(reader, normaliseJoinCode(code));
    if (school === undefined) throw new CodedError('NOT_FOUND');
    return school;
  }

  return {
    /** The school that a stranger with this code may be let in for. */
    schoolByJoinCode: async (typed: string): Promise<SchoolId | undefined> =>
      (await findSchoolByCode(database, normaliseJoinCode(typed)))?.id,

    async getJoinCode(actor: Actor): Promise<string | null> {
      requireEverywhere('editSchool', await requireSelf(database, actor));
      return findJoinCode(database, actor.schoolId);
    },

    rotateJoinCode: (actor: Actor): Promise<string> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('editSchool', await requireSelf(tx, actor));
        await lockSchool(tx, actor.schoolId);
        const code = newJoinCode();
        await writeJoinCode(tx, actor.schoolId, code);
        await record(tx, actor.schoolId, actor, { action: 'joinCodeRotated' });
        return code;
      }),

    closeJoinCode: (actor: Actor): Promise<void> =>
      database.inTransaction(async (tx) => {
        requireEverywhere('editSchool', await requireSelf(tx, actor));
        await lockSchool(tx, actor.schoolId);
        if ((await findJoinCode(tx, actor.schoolId)) === null) return;
        await writeJoinCode(tx, actor.schoolId, null);
        await record(tx, actor.schoolId, actor, { action: 'joinCodeClosed' });
      }),

    async findSchoolByCode(
      caller: Caller,
      code: string,
    ): Promise<OutputOf<Contract['school.findSchoolByCode']>> {
      const { name, vocabulary } = await requireSchoolByCode(database, caller, code);
      return { schoolName: name, vocabulary };
    },

    submitJoinRequest: (
      caller: Caller,
      input: InputOf<Contract['school.submitJoinRequest']>,
    ): Promise<OwnJoinRequest> =>
      database.inTransaction(async (tx) => {
        const { id: schoolId } = await requireSchoolByCode(tx, caller, input.code);
        const { groupWords, childWords } = input;
        const { id } = await askToJoin(tx, {
          schoolId,
          accountId: caller.accountId,
          role: input.role,
          fullName: input.fullName,
          groupWords: groupWords === undefined ? null : normaliseLabel(groupWords),
          childWords: childWords === undefined ? null : normaliseLabel(childWords),
          message: input.message ?? null,
          groupId:
            groupWords === undefined ? null : ((await findClassByWords(tx, schoolId, groupWords)) ?? null),
          inviteId: null,
          onRoster: null,
        });
        return ownRequest(tx, caller, id);
      }),

    listMyJoinRequests: (caller: Caller): Promise<OwnJoinRequest[]> =>
      listOwnRequests(database, caller.accountId),

    withdrawJoinRequest: (caller: Caller, id: JoinRequestId): Promise<OwnJoinRequest> =>
      database.inTransaction(async (tx) => {
        const request = await lockOwnRequest(tx, caller.accountId, id);
        if (request === undefined) throw new CodedError('NOT_FOUND');
        if (request.state === 'approved' || request.state === 'declined') throw new CodedError('CONFLICT');
        if (request.state === 'open') {
          await writeWithdrawal(tx, request);
          await announceJoinRequest(tx, request);
        }
        return ownRequest(tx, caller, id);
      }),
  };
}

export type JoiningActions = ReturnType<typeof createJoiningActions>;
