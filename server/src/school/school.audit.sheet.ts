import type { AuditRecord, endReasons, roles, Vocabulary } from '@zvonok/shared';

/** What was done, as the table names it: a test holds it to the contract's actions. */
export const actionNames: Readonly<Record<string, string>> = {
  cardIssued: 'Выдача карточки входа',
  cardRevoked: 'Отзыв карточки входа',
  guardianLimited: 'Права родителя',
  handedOver: 'Передача дел',
  headAppointed: 'Назначение руководителя',
  headDismissed: 'Снятие руководителя',
  memberCorrected: 'Правка данных',
  memberTransferred: 'Перевод',
  membershipRestored: 'Возвращение',
  roleChanged: 'Смена роли',
  rolloverApplied: 'Перевод на новый год',
  rolloverUndone: 'Отмена перевода на новый год',
  inviteSuspended: 'Остановка приглашения',
  inviteResumed: 'Возобновление приглашения',
  joinCodeRotated: 'Новый код для заявок',
  joinCodeClosed: 'Закрытие кода для заявок',
  joinRequestApproved: 'Одобрение заявки',
  joinRequestDeclined: 'Отказ по заявке',
  requestMade: 'Новый запрос',
  requestApproved: 'Согласие на запрос',
  requestDeclined: 'Отказ в запросе',
  requestWithdrawn: 'Отзыв запроса',
  schoolCreated: 'Подключение',
  schoolChanged: 'Правка карточки',
  settingsChanged: 'Настройка прав',
  schoolSuspended: 'Приостановка работы',
  schoolResumed: 'Возобновление работы',
  groupCreated: 'Создание класса или группы',
  groupChanged: 'Правка класса или группы',
  groupArchived: 'Закрытие класса или группы',
  inviteMade: 'Новое приглашение',
  inviteAnnulled: 'Отзыв приглашения',
  inviteRedeemed: 'Вступление по приглашению',
  membershipStarted: 'Вступление',
  membershipEnded: 'Уход',
  staffVerified: 'Подтверждение сотрудника',
  verificationRevoked: 'Отзыв подтверждения',
  teacherAttached: 'Назначение',
  teacherDetached: 'Снятие',
  guardianLinked: 'Связь родителя с ребёнком',
  guardianUnlinked: 'Разрыв связи с ребёнком',
  strangeSignInReported: 'Чужой вход',
  rosterImported: 'Загрузка списка людей',
  rosterExported: 'Сохранение списка людей',
  noticeSettled: 'Разбор уведомления',
  auditExported: 'Сохранение журнала',
};

/** What facts are called; one that is not here stands by its own name. */
const facts: Readonly<Record<string, string>> = {
  name: 'название',
  fullName: 'имя',
  mayBeInformed: 'можно сообщать',
  mayBeContacted: 'можно обращаться',
  year: 'год обучения',
  kind: 'вид',
  subject: 'предмет',
  role: 'роль',
  uses: 'сколько человек',
  expiresAt: 'действует до',
  reason: 'причина',
  basis: 'основание',
  address: 'адрес',
  contactEmail: 'почта',
  journalUrl: 'электронный журнал',
  vocabulary: 'слова',
  childId: 'ребёнок',
  device: 'устройство',
  signedInAt: 'вход',
  action: 'действие',
  byId: 'кто',
  memberId: 'о ком',
  from: 'с',
  until: 'по',
  comment: 'ответ',
  conversations: 'передано чатов',
  groups: 'создано классов и групп',
  toId: 'кому',
  group: 'куда',
  match: 'кого впускать сразу',
  needsApproval: 'только по заявке',
  personal: 'личное',
  redeemers: 'пришло',
  strangers: 'нет в списках',
  added: 'добавлено людей',
  changed: 'исправлено',
  moved: 'переведено',
  archived: 'закрыто классов и групп',
  created: 'создано классов и групп',
  promoted: 'перешло классов и групп',
  graduates: 'выпущено',
};

const roleWords: Readonly<Record<(typeof roles)[number], string>> = {
  admin: 'администратор',
  head: 'руководитель',
  teacher: 'педагог',
  pupil: 'обучающийся',
  guardian: 'родитель',
};
const reasonWords: Readonly<Record<(typeof endReasons)[number], string>> = {
  left: 'по своей воле',
  expelled: 'отчисление',
  graduated: 'выпуск',
  moved: 'перевод',
  mistake: 'запись была ошибкой',
};

const isKey = <Words extends object>(words: Words, key: unknown): key is keyof Words =>
  typeof key === 'string' && Object.hasOwn(words, key);

/** «было» or «стало» in one cell. */
function factsCell(record: AuditRecord, of: AuditRecord['before']): string {
  return Object.entries(of ?? {})
    .map(([name, fact]) => {
      const words =
        fact === null
          ? 'не указано'
          : fact === true
            ? 'да'
            : fact === false
              ? 'нет'
              : name === 'role' && isKey(roleWords, fact)
                ? roleWords[fact]
                : name === 'reason' && isKey(reasonWords, fact)
                  ? reasonWords[fact]
                  : (record.names[String(fact)] ?? String(fact));
      return `${facts[name] ?? name}: ${words}`;
    })
    .join('; ');
}

/** How moments are written for people in this zone. */
export function clockOf(timeZone: string): (iso: string) => string {
  const format = new Intl.DateTimeFormat('ru-RU', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (iso) => format.format(new Date(iso)).replace(',', '');
}

export const auditHeader = (vocabulary: Vocabulary, timeZone: string): string[] => [
  `Когда (${timeZone})`,
  'Что сделано',
  'Кто',
  'О ком',
  vocabulary === 'school' ? 'Класс' : 'Группа',
  'Было',
  'Стало',
  'Сетевой адрес',
];

export const auditRow = (record: AuditRecord, clock: (iso: string) => string): string[] => [
  clock(record.at),
  actionNames[record.action] ?? record.action,
  record.by?.fullName ?? 'Оператор платформы',
  record.member?.fullName ?? '',
  record.group?.name ?? '',
  factsCell(record, record.before),
  factsCell(record, record.after),
  record.address ?? '',
];
