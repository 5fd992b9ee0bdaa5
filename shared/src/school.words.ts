/** What a person is in a school. Class and subject teacher are attachments of a `teacher`, not roles. */
export const roles = ['admin', 'head', 'teacher', 'pupil', 'guardian'] as const;
export type Role = (typeof roles)[number];

/** Roles of grown-ups who work in the school; each needs a verification record before it sees a minor. */
export const staffRoles = ['admin', 'head', 'teacher'] as const satisfies readonly Role[];

/** Roles that a link can carry. Administrators are appointed by name instead. */
export const invitableRoles = ['head', 'teacher', 'pupil', 'guardian'] as const satisfies readonly Role[];
export type InvitableRole = (typeof invitableRoles)[number];

/** Which words the interface uses for groups, pupils and teachers. */
export const vocabularies = ['school', 'college', 'kindergarten'] as const;
export type Vocabulary = (typeof vocabularies)[number];

/** The columns of the permission table; see `permissions.ts`. */
export const standings = ['PO', 'SA', 'HD', 'CT', 'ST', 'TU', 'SU', 'PV', 'PU'] as const;
export type Standing = (typeof standings)[number];
