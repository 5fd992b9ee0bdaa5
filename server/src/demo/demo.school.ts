import type { GroupId, MembershipId, SchoolId } from '@zvonok/shared';
import type { Actor, Actors } from './demo.actors.ts';
import { cast, schoolTable } from './demo.cast.ts';

/** What is known at the moment when it is made alone, and is shown to whoever starts the demo. */
export interface SchoolSecrets {
  readonly joinCode: string;
  /** Of an invite for pupils of 7Б. */
  readonly inviteToken: string;
  readonly card: { readonly token: string; readonly pin: string };
}

const basis = (order: string) => `приказ ${order}`;

/** A year in the life of the demo school, lived by its people in a moment. */
export async function playSchool(actors: Actors, schoolId: SchoolId): Promise<SchoolSecrets> {
  const { act, signIn, redeem } = actors;
  const admin = await signIn(cast.admin, schoolId);
  const entered = new Map<string, Promise<Actor>>();
  function enter(phone: string): Promise<Actor> {
    const known = entered.get(phone) ?? signIn(phone, schoolId);
    entered.set(phone, known);
    return known;
  }

  const groups = new Map<string, GroupId>();
  const members = new Map<string, MembershipId>();
  /** Asked for anew where something is not known yet. */
  async function groupNamed(name: string): Promise<GroupId> {
    if (!groups.has(name)) {
      const listed = await act('school.listGroups', admin, {});
      for (const group of listed.groups) groups.set(group.name, group.id);
    }
    return known(groups.get(name), name);
  }
  async function memberNamed(fullName: string): Promise<MembershipId> {
    if (!members.has(fullName)) {
      const listed = await act('school.listMembers', admin, {});
      // The administrator of two roles is meant as the teacher, who came first.
      for (const member of listed.members.toReversed()) members.set(member.fullName, member.membershipId);
    }
    return known(members.get(fullName), fullName);
  }

  async function setUp(): Promise<string> {
    await act('school.updateSchool', admin, {
      address: '390000, Рязань, улица Ленина, 29',
      contactEmail: 'office@school29.example',
      contactPhone: '+7 (4912) 00-00-29',
      journalUrl: 'https://dnevnik.school29.example',
    });
    await act('school.changeSettings', admin, { settings: { 'decidePupilRequests.CT': true } });
    await actors.importPeople(admin, 'Школа 29, люди.csv', schoolTable);
    return (await act('school.rotateJoinCode', admin, {})).code;
  }

  /** Those who are expected come with their phones; staff are verified by their papers. */
  async function come(): Promise<void> {
    const staff = [cast.deputy, cast.classTeacher3A, cast.secondAdmin, cast.successor, cast.leaver];
    for (const [index, phone] of staff.entries()) {
      const { as } = await enter(phone);
      if (as === undefined) throw new Error('demo: nobody expects them');
      await act('school.verifyTeacher', admin, { membershipId: as, basis: basis(`№ ${31 + index}-к`) });
    }
    await act('school.appointHead', admin, { membershipId: await memberNamed('Орлов Пётр Сергеевич') });
    await act('school.appointAdmin', admin, { membershipId: await memberNamed('Титов Роман Андреевич') });
    await actors.arrive([
      ...[cast.daria, cast.semyon, cast.eva, cast.maxim, cast.anastasia, cast.expelled, cast.transferred],
      ...cast.graduates,
      ...[cast.mother, cast.limitedFather, cast.semyonsMother],
    ]);
  }

  /** The year turns; 7Б and 8А were made for the new one already. */
  async function turnYear(): Promise<void> {
    const kept = [await groupNamed('7Б'), await groupNamed('8А')];
    const choices = {
      classes: kept.map((groupId) => ({ groupId, action: 'keep' as const })),
      newClasses: [{ name: '1А', year: 1 }],
      teachers: [],
    };
    const { plan } = await act('school.planRollover', admin, { choices });
    await act('school.applyRollover', admin, { choices, digest: plan.digest });
  }

  async function move(): Promise<void> {
    const moved = await memberNamed('Егоров Кирилл');
    await act('school.transferMembers', admin, { membershipIds: [moved], groupId: await groupNamed('8А') });
    await act('school.endMembership', admin, {
      membershipId: await memberNamed('Степанов Юрий'),
      reason: 'left',
    });
    await act('school.correctMember', admin, {
      membershipId: await memberNamed('Рябова Ирина'),
      fullName: 'Рябова Ирина Владимировна',
    });
    const leaver = await memberNamed('Беляева Зоя Ивановна');
    const plan = await act('school.planHandOver', admin, { membershipId: leaver });
    await act('school.handOver', admin, {
      membershipId: leaver,
      toId: await memberNamed('Ефимов Глеб Сергеевич'),
      attachments: plan.attachments,
      conversationIds: [],
      leaves: true,
    });
    await act('school.limitGuardian', admin, {
      guardianId: await memberNamed('Ковалёв Сергей Иванович'),
      childId: await memberNamed('Ковалёв Тимур'),
      mayBeInformed: true,
      mayBeContacted: false,
      reason: 'Решение суда № 2-114, копия в личном деле',
    });
  }

  /** 3А: a card for a child without a phone, one that wrong PINs have locked, codes for the others. */
  async function giveCards() {
    const teacher = await enter(cast.classTeacher3A);
    const groupId = await groupNamed('3А');
    const { expected } = await act('school.getClassRegister', teacher, { groupId });
    const entryOf = (name: string) => {
      const found = expected.find((each) => each.fullName === name);
      if (found === undefined) throw new Error(`demo: nobody expects ${name}`);
      return { entryId: found.entryId };
    };
    const card = await act('school.admitWithCard', teacher, entryOf('Ковалёв Тимур'));
    const locked = await act('school.admitWithCard', teacher, entryOf('Исаев Марк'));
    const pin = locked.pin === '0000' ? '1111' : '0000';
    for (let tries = 0; tries < 5; tries += 1) {
      await actors.attempt('accounts.signInByCard', { token: locked.token, pin, carrier: 'bearer' });
    }
    const stolen = await act('school.admitWithCard', teacher, entryOf('Щербаков Захар'));
    const { codes } = await act('school.createPersonalInvites', teacher, { groupId });
    const own = codes.find((each) => each.fullName === 'Панова Варвара');
    if (own !== undefined) await redeem(cast.varvara, own.token);
    return { card: { token: card.token, pin: card.pin }, stolen };
  }

  async function invite(): Promise<string> {
    const [class7B, class5B, class11A] = [
      await groupNamed('7Б'),
      await groupNamed('5Б'),
      await groupNamed('11А'),
    ];
    const { token } = await act('school.createInvite', await enter(cast.classTeacher7B), {
      role: 'pupil',
      groupId: class7B,
      uses: 10,
    });
    // A subject of a class; a parent of one child; parents by approval; parents of the list alone; one taken back.
    await act('school.createInvite', admin, {
      role: 'teacher',
      groupId: class11A,
      subject: 'Химия',
      uses: 1,
    });
    const eva = await act('school.createInvite', admin, {
      ...{ role: 'guardian', groupId: class5B, uses: 1 },
      childId: await memberNamed('Титова Ева'),
    });
    await redeem(cast.secondAdmin, eva.token, 'Титов Роман Андреевич');
    const byApproval = await act('school.createInvite', await enter(cast.successor), {
      ...{ role: 'guardian', groupId: class5B, uses: 30, needsApproval: true },
    });
    await redeem(cast.approvalFather, byApproval.token, 'Чернов Олег Викторович');
    await act('school.createInvite', await enter(cast.classTeacher3A), {
      ...{ role: 'guardian', groupId: await groupNamed('3А'), uses: 30, match: 'roster' },
    });
    const spoilt = await act('school.createInvite', admin, { role: 'teacher' });
    await act('school.annulInvite', admin, { inviteId: spoilt.invite.id });

    // The link for the parents of 11А was passed on: who comes by it is on no list, and one goes by another's name.
    const leaked = await act('school.createInvite', admin, {
      ...{ role: 'guardian', groupId: class11A, uses: 30 },
    });
    const names = ['Ларина Оксана', 'Быков Артур', 'Соко лов Игорь Львович'];
    for (const [index, phone] of cast.strangers.entries()) {
      await redeem(phone, leaked.token, names[index] ?? '');
    }
    return token;
  }

  async function askToJoin(code: string): Promise<void> {
    const ask = async (phone: string, asked: object) => {
      const stranger: Actor = { ...(await signIn(phone)), as: undefined };
      return act('school.submitJoinRequest', stranger, {
        code,
        ...(asked as { role: 'pupil'; fullName: string }),
      });
    };
    await ask(cast.applicantOnRoster, { role: 'pupil', fullName: 'Климов Егор', groupWords: '11 «А»' });
    await ask(cast.applicantGuardian, {
      role: 'guardian',
      fullName: 'Гусева Марина',
      groupWords: '3а',
      childWords: 'Гусева Полина',
    });
    await ask(cast.applicantTeacher, {
      role: 'teacher',
      fullName: 'Лазарев Антон Дмитриевич',
      message: 'Здравствуйте! Веду робототехнику по вторникам, договор № 7.',
    });
    const { request } = await ask(cast.applicantDeclined, { role: 'pupil', fullName: 'Иванов Иван' });
    await act('school.declineJoinRequest', admin, {
      requestId: request.id,
      reason: 'Такого ученика у нас нет. Позвоните, пожалуйста, в школу.',
    });
  }

  /** What people ask of the administrators; two are decided. */
  async function request(): Promise<void> {
    const { token } = await act('school.createInvite', admin, { role: 'teacher', uses: 5 });
    const newcomer = await redeem(cast.newcomer, token, 'Осипова Дина Маратовна');
    await act('school.createRequest', newcomer, {
      what: { kind: 'ownVerification', basis: 'приказ о приёме № 52-к от 2 ноября' },
    });
    const [head, deputy] = [await enter(cast.head), await enter(cast.deputy)];
    const [leader, maths] = [await enter(cast.classTeacher7B), await enter(cast.mathsTeacher)];
    const mathsTeacher = await memberNamed('Соколов Игорь Львович');
    const attach = await act('school.createRequest', deputy, {
      what: {
        kind: 'attachTeacher',
        membershipId: mathsTeacher,
        groupId: await groupNamed('11А'),
        subject: 'Алгебра',
      },
      reason: 'По нагрузке на второе полугодие',
    });
    await act('school.approveRequest', admin, { requestId: attach.request.id });
    const advert = await act('school.createRequest', maths, {
      what: { kind: 'post', channel: 'general', text: 'Продаю учебники.' },
    });
    await act('school.declineRequest', admin, {
      requestId: advert.request.id,
      comment: 'Общешкольный канал не для объявлений.',
    });
    await act('school.createRequest', head, {
      what: { kind: 'editSchool', card: { contactPhone: '+7 (4912) 00-00-30' } },
      reason: 'У приёмной новый номер',
    });
    await act('school.createRequest', maths, {
      what: {
        kind: 'post',
        channel: 'general',
        text: 'Школьный этап олимпиады по математике: суббота, 10:00, кабинет 31. Ждём всех с 5 по 11 класс.',
      },
    });
    await act('school.createRequest', leader, {
      what: {
        kind: 'linkGuardian',
        guardianId: await memberNamed('Морозова Инна Викторовна'),
        childId: await memberNamed('Морозов Артём'),
      },
      reason: 'Мама, видела свидетельство о рождении',
    });
    await act('school.createRequest', leader, {
      what: { kind: 'endMembership', membershipId: await memberNamed('Кузнецов Лев'), endReason: 'left' },
      reason: 'Переезжает в другой город с 1 декабря',
    });
    const parents = await act('school.createInvite', await enter(cast.successor), {
      ...{ role: 'guardian', groupId: await groupNamed('5Б'), uses: 5 },
    });
    const grandmother = await redeem(cast.semyonsGrandmother, parents.token, 'Рябова Галина Петровна');
    await act('school.createRequest', grandmother, {
      what: { kind: 'linkOwnChild', childName: 'Рябов Семён', groupName: '5Б' },
      reason: 'Бабушка, забираю из школы',
    });
  }

  /** A child found a device that was not theirs; it was looked after. */
  async function report(card: SchoolSecrets['card']): Promise<void> {
    await act('accounts.reportStrangeSignIn', await actors.signInByCard(card), {});
    const { notices } = await act('school.listNotices', admin, { state: 'open' });
    const found = notices.find((notice) => notice.kind === 'strangeSignIn');
    if (found !== undefined) await act('school.settleNotice', admin, { noticeId: found.id });
  }

  async function write(): Promise<void> {
    const say = async (phone: string, kind: string, title: string | null, texts: readonly string[]) => {
      const actor = await enter(phone);
      const { conversations } = await act('chat.listConversations', actor, {});
      const found = conversations.find(
        (each) => (each.channel ?? each.kind) === kind && (title === null || each.title === title),
      );
      if (found === undefined) throw new Error(`demo: no ${kind} to write in`);
      for (const text of texts) {
        await act('chat.sendMessage', actor, {
          conversationId: found.id,
          clientMessageId: crypto.randomUUID() as never,
          text,
        });
      }
    };
    await say(cast.admin, 'general', null, [
      'Здравствуйте! Это общешкольный канал: здесь пишет администрация, читают все.',
    ]);
    await say(cast.deputy, 'staff', null, ['Коллеги, педсовет в четверг в 15:00, кабинет 12.']);
    await say(cast.classTeacher3A, 'parents', null, [
      'Завтра выходим на экскурсию в 9:00, нужна сменная обувь.',
    ]);
  }

  const joinCode = await setUp();
  await come();
  await turnYear();
  const { card, stolen } = await giveCards();
  await move();
  const inviteToken = await invite();
  await askToJoin(joinCode);
  await request();
  await report(stolen);
  await write();
  return { joinCode, inviteToken, card };
}

function known<T>(found: T | undefined, name: string): T {
  if (found === undefined) throw new Error(`demo: there is no ${name}`);
  return found;
}
