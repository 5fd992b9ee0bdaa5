import type { ApplicationForm, SchoolId } from '@zvonok/shared';
import type { Actors, Stage } from './demo.actors.ts';
import { cast } from './demo.cast.ts';

const kindergarten: ApplicationForm = {
  schoolName: 'Детский сад «Звёздочка» (демо)',
  vocabulary: 'kindergarten',
  address: '390000, Рязань, улица Садовая, 12',
  registerId: '6230012345',
  orderNumber: '8-од',
  orderDate: '2026-08-20',
  adminName: 'Михеева Софья Павловна',
  adminEmail: 'sad12@kindergarten.example',
  adminPhone: cast.kindergartenAdmin,
};
const lyceum: ApplicationForm = {
  ...{ schoolName: 'Лицей № 3', vocabulary: 'school', address: '390000, Рязань, площадь Победы, 3' },
  ...{ registerId: '6230054321', orderNumber: '114-од', orderDate: '2026-11-16' },
  ...{ adminName: 'Зуев Артур Маркович', adminEmail: 'office@lyceum3.example', adminPhone: '+79000000091' },
};
const college: ApplicationForm = {
  ...{ schoolName: 'Колледж связи', vocabulary: 'college', address: '390000, Рязань, улица Связистов, 1' },
  ...{ registerId: '6230099887', orderNumber: '31', orderDate: '2026-11-12' },
  ...{ adminName: 'Лапина Рита Олеговна', adminEmail: 'info@college.example', adminPhone: '+79000000092' },
};

/** Schools apply; the operator lets one in, asks another, and has yet to look at the third. */
export async function playOperator(actors: Actors, { desk }: Pick<Stage, 'desk'>): Promise<SchoolId> {
  const { act, signIn } = actors;
  const operator = { ...(await signIn(cast.operator)), as: undefined };
  const apply = async (form: ApplicationForm) => {
    const { application, token } = await act('desk.submitApplication', undefined, { form });
    await desk.attachOrder(token, `Приказ ${form.orderNumber}.pdf`, scanOf(form));
    return application.id;
  };
  const { schoolId } = await act('desk.approveApplication', operator, {
    applicationId: await apply(kindergarten),
  });
  await act('desk.questionApplication', operator, {
    applicationId: await apply(college),
    question: 'На скане нет подписи директора. Пришлите, пожалуйста, подписанный приказ.',
  });
  await apply(lyceum);
  return schoolId;
}

/**
 * A second organisation, of another kind. Resolves to an invite for a mother of the school's pupils, whose youngest is
 * here: she follows it once she is in the school.
 */
export async function playKindergarten(actors: Actors, schoolId: SchoolId): Promise<string> {
  const { act, signIn, redeem } = actors;
  const admin = await signIn(cast.kindergartenAdmin, schoolId);
  await act('school.updateSchool', admin, { contactPhone: '+7 (4912) 00-00-12' });
  const newGroup = async (name: string, year: number) =>
    (await act('school.createGroup', admin, { name, year })).group.id;
  await newGroup('Ромашка', 3);
  const groupId = await newGroup('Солнышко', 5);
  const ofStaff = await act('school.createInvite', admin, { role: 'teacher' });
  const teacher = await redeem(cast.kindergartenTeacher, ofStaff.token, 'Зимина Алла Викторовна');
  if (teacher.as === undefined) throw new Error('demo: the teacher was not let in');
  await act('school.verifyTeacher', admin, { membershipId: teacher.as, basis: 'приказ № 3-к' });
  await act('school.attachTeacher', admin, { membershipId: teacher.as, groupId, kind: 'class' });
  const ofChildren = await act('school.createInvite', teacher, { role: 'pupil', groupId, uses: 10 });
  await redeem(cast.misha, ofChildren.token, 'Гусев Миша');
  const { as: childId } = await redeem(cast.asya, ofChildren.token, 'Ковалёва Ася');
  if (childId === undefined) throw new Error('demo: the child was not let in');
  const ofMother = await act('school.createInvite', admin, { role: 'guardian', groupId, childId });
  return ofMother.token;
}

/** A page of a PDF that says what a scanned order would. */
function scanOf({ orderNumber, orderDate }: ApplicationForm): Buffer {
  const number = orderNumber.replaceAll(/[^\d]/g, '');
  const words = `BT /F1 18 Tf 72 760 Td (Order No. ${number} of ${orderDate}) Tj 0 -30 Td (A demonstration: no scan of a real order) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${words.length} >>\nstream\n${words}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = file.length;
  const places = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places}`;
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}
