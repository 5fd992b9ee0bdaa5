import { randomBytes } from 'node:crypto';
import {
  type Application,
  type ApplicationForm,
  type ApplicationId,
  type ApplicationState,
  CodedError,
  deskLimits,
  type OwnApplication,
  type SchoolId,
} from '@zvonok/shared';
import { v7 as uuid } from 'uuid';
import { type Accounts, normalisePhone } from '../accounts/index.ts';
import { createCountedDoor } from '../platform/counted-door.ts';
import type { Reader, Transaction } from '../platform/database.ts';
import type { Platform } from '../platform/platform.ts';
import type { PublicContext } from '../platform/procedures.ts';
import { hashToken } from '../platform/tokens.ts';
import { normaliseFullName, normaliseLabel, type School } from '../school/index.ts';
import { orderTypeOf, safeFileName } from './desk.orders.ts';
import { type ByOperator, recordOperator } from './desk.records.store.ts';
import {
  addApplication,
  changeApplication,
  countApplications,
  findApplication,
  findByToken,
  findOrder,
  isWaiting,
  listApplications,
  listSimilar,
  lockApplication,
  putOrder,
  removeOrder,
  type StoredApplication,
} from './desk.store.ts';
import type { OrderType } from './desk.tables.ts';

/** What an operator and an applying school can do. Operators see schools and applications, and no content. */
export function createDeskActions(
  platform: Platform,
  accounts: Pick<Accounts, 'ensureAccount'>,
  school: Pick<School, 'operator'>,
) {
  const { database, jobs, logger } = platform;
  const { requireBelow } = createCountedDoor(platform);

  const forgetting = jobs.define<{ readonly applicationId: ApplicationId }>({
    name: 'desk.forgetOrder',
    run: ({ applicationId }) =>
      database.inTransaction(async (tx) => {
        const found = await lockApplication(tx, applicationId);
        if (found !== undefined && isOverdue(found)) await removeOrder(tx, applicationId);
      }),
    giveUp: async ({ applicationId }) => logger.error({ applicationId }, 'a scan could not be removed'),
  });

  async function requireByToken(reader: Reader, token: string): Promise<StoredApplication> {
    const found = await findByToken(reader, hashToken(token));
    if (found === undefined) throw new CodedError('NOT_FOUND');
    return found;
  }

  /** An application that still waits for a decision; held until the transaction ends. */
  async function requireWaiting(tx: Transaction, id: ApplicationId): Promise<StoredApplication> {
    const found = await lockApplication(tx, id);
    if (found === undefined) throw new CodedError('NOT_FOUND');
    refuseDecided(found);
    return found;
  }

  async function requireDescribed(reader: Reader, id: ApplicationId): Promise<Application> {
    const found = await findApplication(reader, id);
    if (found === undefined) throw new CodedError('NOT_FOUND');
    const similar = await listSimilar(reader, [found]);
    return describe(found, similar.get(id) ?? []);
  }

  return {
    async submitApplication(
      { form, token: given }: { form: ApplicationForm; token?: string | undefined },
      { address }: Pick<PublicContext, 'address'>,
    ): Promise<{ application: OwnApplication; token: string }> {
      const adminPhone = normalisePhone(form.adminPhone);
      // As it will be when the school is made of it: what is refused then would be refused to the operator.
      const adminName = nameOf(form.adminName);
      if (Number.isNaN(Date.parse(form.orderDate)) || form.orderDate < '1990') {
        throw new CodedError('VALIDATION', { message: '/form/orderDate: is no day of the calendar' });
      }
      await requireBelow('applications:address', deskLimits.applicationsPerAddress, address);
      await requireBelow('applications:server', deskLimits.applicationsPerServer);
      const token = given ?? randomBytes(deskLimits.tokenBytes).toString('base64url');
      const application = await database.inTransaction(async (tx) => {
        const added = await addApplication(tx, {
          ...form,
          schoolName: normaliseLabel(form.schoolName),
          address: normaliseLabel(form.address),
          orderNumber: normaliseLabel(form.orderNumber),
          adminName,
          adminPhone,
          id: uuid() as ApplicationId,
          tokenHash: hashToken(token),
        });
        if (added === undefined) return requireByToken(tx, token);
        const { id: applicationId } = added;
        await forgetting.enqueue(tx, { applicationId }, { delayMs: deskLimits.orderKeptUndecidedMs });
        logger.info({ applicationId }, 'a school applied');
        return added;
      });
      return { application: describeOwn(application), token };
    },

    getApplication: async (token: string): Promise<OwnApplication> =>
      describeOwn(await requireByToken(database, token)),

    answerQuestion: (token: string, answer: string): Promise<OwnApplication> =>
      database.inTransaction(async (tx) => {
        const { id } = await requireByToken(tx, token);
        const found = await requireWaiting(tx, id);
        if (found.state !== 'questioned') {
          throw new CodedError('CONFLICT', { message: 'Nothing was asked.' });
        }
        await changeApplication(tx, id, { state: 'submitted', answer });
        return describeOwn({ ...found, state: 'submitted', answer });
      }),

    /** Before the bytes are read: @throws CodedError NOT_FOUND, CONFLICT, RATE_LIMITED */
    async requireAwaited(token: string): Promise<void> {
      const found = await requireByToken(database, token);
      refuseDecided(found);
      await requireBelow('orders:application', deskLimits.ordersPerApplication, found.id);
      await requireBelow('orders:server', deskLimits.ordersPerServer);
    },

    /** @throws CodedError UNSUPPORTED_TYPE for anything but PDF, JPEG and PNG, by content. */
    attachOrder: (token: string, name: string, bytes: Buffer): Promise<OwnApplication> =>
      database.inTransaction(async (tx) => {
        const { id } = await requireByToken(tx, token);
        const found = await requireWaiting(tx, id);
        const type = orderTypeOf(bytes);
        if (type === undefined) throw new CodedError('UNSUPPORTED_TYPE');
        const orderFile = safeFileName(name, type);
        await putOrder(tx, { applicationId: id, name: orderFile, type, bytes });
        return describeOwn({ ...found, orderFile });
      }),

    async getOrder(id: ApplicationId): Promise<{ name: string; type: OrderType; bytes: Buffer }> {
      const order = await findOrder(database, id);
      if (order === undefined) throw new CodedError('NOT_FOUND');
      return order;
    },

    async listApplications(input: {
      state: ApplicationState;
      after?: ApplicationId | undefined;
      limit?: number | undefined;
    }) {
      const { state, after, limit = deskLimits.pageSize } = input;
      if (after !== undefined && (await findApplication(database, after)) === undefined) {
        throw new CodedError('NOT_FOUND');
      }
      const { rows, hasMore } = await listApplications(database, { state, after, limit });
      const similar = await listSimilar(database, rows);
      return {
        applications: rows.map((row) => describe(row, similar.get(row.id) ?? [])),
        hasMore,
        counts: await countApplications(database),
      };
    },

    approveApplication: (by: NonNullable<ByOperator>, id: ApplicationId): Promise<SchoolId> =>
      database.inTransaction(async (tx) => {
        const held = await lockApplication(tx, id);
        // A lost reply, asked again.
        if (held?.state === 'approved' && held.schoolId !== null) return held.schoolId;
        const application = await requireWaiting(tx, id);
        const { schoolId } = await school.operator.createSchool(tx, {
          name: application.schoolName,
          vocabulary: application.vocabulary,
          address: application.address,
          admin: {
            accountId: await accounts.ensureAccount(tx, application.adminPhone),
            fullName: application.adminName,
          },
          basis: `order ${application.orderNumber} of ${application.orderDate}`,
        });
        await recordOperator(tx, by, { action: 'applicationApproved', applicationId: id, schoolId });
        await changeApplication(tx, id, {
          state: 'approved',
          note: null,
          decidedAt: new Date(),
          decidedBy: by.accountId,
          schoolId,
        });
        logger.info({ applicationId: id, schoolId }, 'an application was approved');
        return schoolId;
      }),

    declineApplication: (
      by: NonNullable<ByOperator>,
      id: ApplicationId,
      reason: string,
    ): Promise<Application> =>
      database.inTransaction(async (tx) => {
        await requireWaiting(tx, id);
        await changeApplication(tx, id, {
          state: 'declined',
          note: reason,
          decidedAt: new Date(),
          decidedBy: by.accountId,
        });
        await recordOperator(tx, by, { action: 'applicationDeclined', applicationId: id, note: reason });
        await forgetting.enqueue(tx, { applicationId: id }, { delayMs: deskLimits.orderKeptDeclinedMs });
        return requireDescribed(tx, id);
      }),

    questionApplication: (by: ByOperator, id: ApplicationId, question: string): Promise<Application> =>
      database.inTransaction(async (tx) => {
        await requireWaiting(tx, id);
        await changeApplication(tx, id, { state: 'questioned', note: question, answer: null });
        await recordOperator(tx, by, { action: 'applicationQuestioned', applicationId: id, note: question });
        return requireDescribed(tx, id);
      }),
  };
}

export type DeskActions = ReturnType<typeof createDeskActions>;

/** Whether the scan has stayed for as long as it may, with a minute for clocks that differ. */
function isOverdue({ state, submittedAt, decidedAt }: StoredApplication): boolean {
  if (state === 'approved') return false;
  const { orderKeptDeclinedMs, orderKeptUndecidedMs } = deskLimits;
  const until =
    decidedAt === null
      ? submittedAt.getTime() + orderKeptUndecidedMs
      : decidedAt.getTime() + orderKeptDeclinedMs;
  return Date.now() >= until - 60_000;
}

function refuseDecided({ state }: Pick<StoredApplication, 'state'>): void {
  if (isWaiting(state)) return;
  throw new CodedError('CONFLICT', { message: 'The application is decided already.' });
}

function nameOf(typed: string): string {
  try {
    return normaliseFullName(typed);
  } catch {
    throw new CodedError('VALIDATION', {
      message: '/form/adminName: a word mixes letters that only look alike',
    });
  }
}

function describeOwn(application: StoredApplication): OwnApplication {
  return {
    id: application.id,
    state: application.state,
    schoolName: application.schoolName,
    submittedAt: application.submittedAt.toISOString(),
    note: application.note,
    orderFile: application.orderFile,
  };
}

function describe(application: StoredApplication, similar: string[]): Application {
  const { vocabulary, address, registerId, orderNumber, orderDate } = application;
  const { adminName, adminEmail, adminPhone, answer, schoolId } = application;
  return {
    ...describeOwn(application),
    ...{ vocabulary, address, registerId, orderNumber, orderDate },
    ...{ adminName, adminEmail, adminPhone, answer, schoolId },
    decidedAt: application.decidedAt?.toISOString() ?? null,
    similar,
  };
}
