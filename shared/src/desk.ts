import Type, { type Static } from 'typebox';
import { TypedPhone } from './accounts.ts';
import {
  nullable,
  oneOf,
  operatorProcedure,
  perMinute,
  procedures,
  publicProcedure,
  strict,
  Time,
} from './contract.ts';
import { ApplicationId, OperatorRecordId, SchoolId } from './ids.ts';
import { deskLimits, schoolLimits } from './limits.ts';
import { line, paragraph } from './schemas.ts';
import { FullName, SchoolName, Vocabulary } from './school.objects.ts';

/** 256 random bits in base64url: the way back to one's application. A link carries it behind `#`. */
export const ApplicationToken = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });

export const applicationStates = ['submitted', 'questioned', 'approved', 'declined'] as const;
export const ApplicationState = oneOf(applicationStates);
export type ApplicationState = Static<typeof ApplicationState>;

/** What a school tells of itself when it applies. */
export const ApplicationForm = strict({
  schoolName: SchoolName,
  vocabulary: Vocabulary,
  address: line(schoolLimits.addressLength),
  /** The tax number of the organisation (ИНН), or another id that its register knows it by. */
  registerId: Type.String({
    minLength: 3,
    maxLength: deskLimits.registerIdLength,
    pattern: '^[0-9A-Za-z./-]+$',
  }),
  /** The order by which the school appoints its administrator. */
  orderNumber: line(deskLimits.orderNumberLength),
  orderDate: Type.String({ format: 'date' }),
  adminName: FullName,
  adminEmail: Type.String({ format: 'email', maxLength: schoolLimits.emailLength }),
  /** Exactly this phone becomes the first administrator's. */
  adminPhone: TypedPhone,
});
export type ApplicationForm = Static<typeof ApplicationForm>;

const applicationFields = {
  id: ApplicationId,
  state: ApplicationState,
  schoolName: Type.String(),
  submittedAt: Time,
  /** What the operator asks for while `questioned`; why it was `declined`. */
  note: nullable(Type.String()),
  /** The name of the order's scan; null until it was attached. */
  orderFile: nullable(Type.String()),
};

/** An application as its sender finds it again: nothing that was typed comes back, since links get about. */
export const OwnApplication = strict(applicationFields);
export type OwnApplication = Static<typeof OwnApplication>;

/** An application as operators judge it. */
export const Application = strict({
  ...applicationFields,
  ...ApplicationForm.properties,
  /** E.164. */
  adminPhone: Type.String(),
  /** What the school answered to the question. */
  answer: nullable(Type.String()),
  decidedAt: nullable(Time),
  /** The school that it became. */
  schoolId: nullable(SchoolId),
  /** Other applications and schools with this register id or administrator's phone: somebody may be applying twice. */
  similar: Type.Array(Type.String()),
});
export type Application = Static<typeof Application>;

/** A school as operators see it: no people and no content. */
export const HostedSchool = strict({
  id: SchoolId,
  name: Type.String(),
  vocabulary: Vocabulary,
  createdAt: Time,
  suspendedAt: nullable(Time),
  suspendReason: nullable(Type.String()),
  /** Active memberships. */
  memberCount: Type.Integer({ minimum: 0 }),
});
export type HostedSchool = Static<typeof HostedSchool>;

/** What operators do; each leaves a record that nobody alters. */
export const operatorActions = [
  'operatorAdded',
  'operatorRemoved',
  'applicationQuestioned',
  'applicationApproved',
  'applicationDeclined',
  'schoolSuspended',
  'schoolResumed',
  'administratorAppointed',
] as const;
export type OperatorAction = (typeof operatorActions)[number];

export const OperatorRecord = strict({
  id: OperatorRecordId,
  at: Time,
  action: oneOf(operatorActions),
  /** Which operator; null where a command on the server did it. */
  by: nullable(Type.String()),
  /** The operator who was added or removed. */
  operator: nullable(Type.String()),
  application: nullable(strict({ id: ApplicationId, schoolName: Type.String() })),
  school: nullable(strict({ id: SchoolId, name: Type.String() })),
  /** The reason or question that was given. */
  note: nullable(Type.String()),
  /** The network address it came from; null where a command did it. */
  address: nullable(Type.String()),
});
export type OperatorRecord = Static<typeof OperatorRecord>;

const reason = { reason: paragraph(deskLimits.reasonLength) };
const page = { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: deskLimits.pageSize })) };

export const deskProcedures = procedures('desk', {
  submitApplication: publicProcedure({
    summary:
      'A school applies. With the token the sender follows the application and answers questions; nobody else learns it. Sent again with the same token it is the same application.',
    input: {
      form: ApplicationForm,
      /** 256 random bits of the sender's own, so that a lost reply makes no second application; else the server's. */
      token: Type.Optional(ApplicationToken),
    },
    output: strict({ application: OwnApplication, token: ApplicationToken }),
    errors: ['PHONE_INVALID'],
    limit: perMinute(10),
  }),
  getApplication: publicProcedure({
    summary: 'How an application stands.',
    input: { token: ApplicationToken },
    output: strict({ application: OwnApplication }),
    errors: ['NOT_FOUND'],
    limit: perMinute(60),
  }),
  answerQuestion: publicProcedure({
    summary: 'Answers what the operator asked; the application is in the queue again.',
    input: { token: ApplicationToken, answer: paragraph(deskLimits.reasonLength) },
    output: strict({ application: OwnApplication }),
    errors: ['NOT_FOUND', 'CONFLICT'],
    limit: perMinute(10),
  }),
  listApplications: operatorProcedure({
    summary: 'Applications in a state, those that wait longest first; decided ones the newest first.',
    input: { state: ApplicationState, after: Type.Optional(ApplicationId), ...page },
    output: strict({
      applications: Type.Array(Application),
      hasMore: Type.Boolean(),
      counts: strict({
        submitted: Type.Integer(),
        questioned: Type.Integer(),
        approved: Type.Integer(),
        declined: Type.Integer(),
      }),
    }),
    errors: ['NOT_FOUND'],
  }),
  approveApplication: operatorProcedure({
    summary:
      'Makes the school with its staff room and channels, and the named person its first administrator. Approving again answers the same school.',
    input: { applicationId: ApplicationId },
    output: strict({ schoolId: SchoolId }),
    errors: ['NOT_FOUND', 'CONFLICT'],
    confirmed: true,
  }),
  declineApplication: operatorProcedure({
    summary: 'Refuses an application; the sender reads the reason.',
    input: { applicationId: ApplicationId, ...reason },
    output: strict({ application: Application }),
    errors: ['NOT_FOUND', 'CONFLICT'],
  }),
  questionApplication: operatorProcedure({
    summary: 'Asks the sender for more.',
    input: { applicationId: ApplicationId, question: paragraph(deskLimits.reasonLength) },
    output: strict({ application: Application }),
    errors: ['NOT_FOUND', 'CONFLICT'],
  }),
  listSchools: operatorProcedure({
    summary: 'The schools of this server by name, those whose name or id holds the words.',
    input: {
      search: Type.Optional(Type.String({ minLength: 1, maxLength: schoolLimits.nameLength })),
      after: Type.Optional(SchoolId),
      ...page,
    },
    output: strict({ schools: Type.Array(HostedSchool), hasMore: Type.Boolean() }),
    errors: ['NOT_FOUND'],
  }),
  suspendSchool: operatorProcedure({
    summary: 'Closes a school: nobody reads or writes in it, within a second. Nothing is lost.',
    input: { schoolId: SchoolId, ...reason },
    output: strict({ school: HostedSchool }),
    errors: ['NOT_FOUND'],
    confirmed: true,
  }),
  appointAdministrator: operatorProcedure({
    summary:
      'Gives a school that has lost all its administrators a new one: nobody of them was here for two weeks. Its staff is told, in the staff room and in the audit log.',
    input: {
      schoolId: SchoolId,
      fullName: FullName,
      phone: TypedPhone,
      /** The school’s order that appoints them. */
      basis: line(schoolLimits.basisLength),
    },
    output: strict({ school: HostedSchool }),
    errors: ['NOT_FOUND', 'PHONE_INVALID', 'ADMIN_PRESENT', 'ALREADY_MEMBER'],
    confirmed: true,
  }),
  listRecords: operatorProcedure({
    summary: 'What the operators of this server did, the newest first.',
    input: { after: Type.Optional(OperatorRecordId), ...page },
    output: strict({ records: Type.Array(OperatorRecord), hasMore: Type.Boolean() }),
    errors: ['NOT_FOUND'],
  }),
  resumeSchool: operatorProcedure({
    summary: 'Opens a suspended school again.',
    input: { schoolId: SchoolId },
    output: strict({ school: HostedSchool }),
    errors: ['NOT_FOUND'],
    confirmed: true,
  }),
});
