/** One person of the demo school for each way of standing in it. */
export const demoPeople = {
  admin: '+79000000001',
  head: '+79000000002',
  classTeacher: '+79000000003',
  unverifiedTeacher: '+79000000006',
  pupil: '+79000000011',
  guardian: '+79000000021',
  unlinkedGuardian: '+79000000023',
} as const;

/** Who runs the demo server. */
export const demoOperator = '+79000000009';
