import { cast } from './demo.cast.ts';
import { demoOperator, people } from './demo.founding.ts';
import type { SchoolSecrets } from './demo.school.ts';

const shown = (phone: string) => phone.replace(/^\+7(\d{3})(\d{3})(\d{2})(\d{2})$/, '+7 $1 $2-$3-$4');

interface Shown {
  readonly phone: string;
  readonly fullName: string;
  readonly is: string;
}

/** Those of the story who are worth being. */
const others: readonly Shown[] = [
  {
    phone: cast.secondAdmin,
    fullName: 'Титов Роман Андреевич',
    is: 'и администратор, и учитель, и папа: три роли',
  },
  {
    phone: cast.classTeacher3A,
    fullName: 'Крылова Татьяна Юрьевна',
    is: 'классный руководитель 3А: карточки',
  },
  { phone: cast.deputy, fullName: 'Громова Лидия Олеговна', is: 'заместитель директора' },
  { phone: cast.newcomer, fullName: 'Осипова Дина Маратовна', is: 'учитель, просит подтвердить' },
  { phone: cast.mother, fullName: 'Ковалёва Елена Андреевна', is: 'мама троих в школе и одной в саду' },
  {
    phone: cast.limitedFather,
    fullName: 'Ковалёв Сергей Иванович',
    is: 'папа, общение с которым ограничено',
  },
  {
    phone: cast.semyonsGrandmother,
    fullName: 'Рябова Галина Петровна',
    is: 'бабушка, просит связать с внуком',
  },
];
const ofKindergarten: readonly Shown[] = [
  { phone: cast.kindergartenAdmin, fullName: 'Михеева Софья Павловна', is: 'администратор' },
  {
    phone: cast.kindergartenTeacher,
    fullName: 'Зимина Алла Викторовна',
    is: 'воспитатель, группа «Солнышко»',
  },
];

const line = ({ phone, fullName, is }: Shown) => `  ${shown(phone)}  ${fullName.padEnd(26)} ${is}`;

/**
 * With which phones to sign in, and what to try: lines for people at the terminal, never for the log. `secrets`: undefined
 * for a demo that was made without the story.
 */
export function demoTable(address: string, secrets: SchoolSecrets | undefined): string[] {
  const head = ['', `Демо. Откройте ${address} и войдите с любым из этих телефонов: код появится здесь.`, ''];
  if (secrets === undefined) return [...head, ...[...people, demoOperator].map(line), ''];
  const { joinCode, inviteToken, card } = secrets;
  return [
    ...head,
    'Школа №29',
    ...[...people, ...others].map(line),
    'Детский сад «Звёздочка»',
    ...ofKindergarten.map(line),
    'Сервер',
    line({ ...demoOperator, is: `${demoOperator.is}: заявки школ (в демо без ключа входа)` }),
    '',
    'Что попробовать',
    '  Администратор: раздел «Школа» — сегодня, требует внимания, подтверждение, просьбы, заявки, журнал',
    `  Ковалёв Тимур из 3А, без телефона: ${address}/card#${card.token}  PIN ${card.pin}`,
    `  Новый ученик 7Б по ссылке, с любым другим телефоном: ${address}/invite#${inviteToken}`,
    `  Попроситься в школу: ${address}/join  код ${joinCode.slice(0, 4)}-${joinCode.slice(4)}`,
    `  Подать заявку от своей школы: ${address}/apply`,
    '',
  ];
}
