import { randomBytes } from 'node:crypto';
import type { Database } from '../../server/src/platform/database.ts';
import { hashToken } from '../../server/src/platform/tokens.ts';

/** A school of 3,000 people, whose administrator is signed in. */
export interface BigSchool {
  readonly schoolId: string;
  /** The administrator's membership, and the token of their session. */
  readonly as: string;
  readonly token: string;
  readonly groupId: string;
  readonly pupilId: string;
  readonly guardianId: string;
  readonly endedId: string;
  readonly teacherId: string;
  /** Redeemed by three hundred. */
  readonly inviteId: string;
  readonly importId: string;
}

/**
 * Writes 1,100 pupils in 45 classes, 1,700 guardians (200 without a child), 200 members of staff, 2,000 people who left,
 * as many expected people as there are members, and what they leave behind: invites, requests, notices, 20,000 audit records.
 * Names repeat as names do. Their conversations are not made.
 */
export async function seedBigSchool(
  database: Pick<Database, 'client' | 'inTransaction'>,
): Promise<BigSchool> {
  const token = randomBytes(32).toString('base64url');
  const school = await database.inTransaction(async ({ raw: sql }) => {
    await sql`set local statement_timeout = '60s'`;
    const [made] = await sql`
        insert into schools (id, name, vocabulary, address, contact_email)
        values (uuidv7(), 'Замер', 'school', 'Ленина, 1', 'a@b.example') returning id`;
    const schoolId = made?.id as string;
    await sql`
        insert into groups (school_id, id, name, kind, year)
        select ${schoolId}, uuidv7(), case when n = 0 then 'Учительская' else (1 + (n - 1) / 4) || substr('АБВГ', 1 + (n - 1) % 4, 1) end,
          case when n = 0 then 'staff' else 'class' end, case when n > 0 then least(11, 1 + (n - 1) / 4) end
        from generate_series(0, 45) n`;
    await sql`
        create temp table seats on commit drop as
        select n, uuidv7() as id, uuidv7() as account_id,
          case when n = 1 then 'admin' when n <= 4 then 'head' when n <= 200 then 'teacher' when n <= 1300 then 'pupil' when n <= 3000
            then 'guardian' when n % 2 = 0 then 'pupil' else 'guardian' end as role,
          n > 3000 as over,
          (array['Иванов', 'Петров', 'Сидоров', 'Кузнецов', 'Смирнов', 'Волков', 'Орлов', 'Соколов', 'Лебедев', 'Козлов', 'Новиков',
            'Морозов', 'Павлов', 'Семёнов', 'Голубев', 'Виноградов', 'Богданов', 'Воробьёв', 'Фёдоров', 'Михайлов'])[1 + n % 20]
            || ' ' || (array['Иван', 'Пётр', 'Олег', 'Артём', 'Глеб', 'Лев', 'Марк', 'Юрий', 'Семён', 'Егор', 'Тимур'])[1 + n % 11]
            || ' ' || (array['Иванович', 'Петрович', 'Олегович', 'Глебович', 'Львович', 'Юрьевич', 'Егорович'])[1 + n % 7] as full_name,
          case when n > 200 then (select g.id from groups g where g.school_id = ${schoolId} and g.kind = 'class'
            order by g.id offset n % 45 limit 1) end as group_id
        from generate_series(1, 5000) n`;
    await sql`insert into accounts (id, phone) select account_id, '+7999' || lpad(n::text, 7, '0') from seats`;
    await sql`
        insert into memberships (school_id, id, account_id, role, full_name, group_id, started_at, ended_at, end_reason)
        select ${schoolId}, id, account_id, role, full_name, group_id, now() - interval '1 year', case when over then now() end,
          case when over then 'left' end
        from seats`;
    // The checks of foreign keys are planned anew, now that there is something to look into.
    await sql`analyze memberships`;
    await sql`
        insert into verifications (school_id, membership_id, basis)
        select ${schoolId}, id, 'приказ' from seats where n <= 190`;
    await sql`
        insert into guardian_links (school_id, guardian_id, child_id)
        select ${schoolId}, g.id, p.id from seats g join seats p on p.n in (201 + g.n % 1050, 201 + (g.n * 7) % 1050)
        where g.n between 1301 and 2800 and (g.n % 3 = 0 or p.n = 201 + g.n % 1050)`;
    await sql`
        insert into teacher_attachments (school_id, membership_id, group_id, kind, subject)
        select ${schoolId}, t.id, g.id, case when k = 0 then 'class' else 'subject' end, case when k = 0 then '' else 'Предмет ' || t.n % 12 end
        from (select id, row_number() over (order by id) as n from groups where school_id = ${schoolId} and kind = 'class') g
        cross join generate_series(0, 11) k join seats t on t.n = 5 + (g.n * 4 + k * 16) % 185`;
    await sql`
        create temp table expected on commit drop as
        select s.*, uuidv7() as entry_id from seats s where n between 2 and 3000`;
    await sql`
        insert into roster_entries (school_id, id, role, full_name, match_key, group_id, phone, external_id, membership_id, claimed_at)
        select ${schoolId}, entry_id, role, full_name, translate(lower(full_name), 'ё', 'е'), case when role = 'pupil' then group_id end,
          '+7988' || lpad(n::text, 7, '0'), 'N' || n, case when n % 3 = 0 then id end, case when n % 3 = 0 then now() end
        from expected`;
    await sql`
        insert into roster_children (school_id, guardian_id, child_id)
        select ${schoolId}, g.entry_id, p.entry_id from expected g join expected p on p.n = 201 + g.n % 1050
        where g.n between 1301 and 2800`;
    await sql`
        create temp table links on commit drop as
        select n, uuidv7(interval '1 hour' * (n - 300)) as id, (select group_id from seats s where s.n = 200 + i.n) as group_id
        from generate_series(1, 300) as i (n)`;
    await sql`
        insert into invites (school_id, id, token_hash, role, group_id, uses, used, created_by, expires_at)
        select ${schoolId}, l.id, 'hash ' || l.n, case when l.n % 2 = 0 then 'pupil' else 'guardian' end, l.group_id,
          case when l.n = 1 then 300 else 1 end, case when l.n = 1 then 300 else 0 end, s.id, now() + interval '7 days'
        from links l join seats s on s.n = 1 + l.n % 40`;
    await sql`
        insert into personal_invites (school_id, invite_id, entry_id)
        select ${schoolId}, l.id, e.entry_id from links l join expected e on e.n = 200 + l.n where l.n > 100`;
    await sql`
        insert into invite_redemptions (school_id, invite_id, account_id, membership_id)
        select ${schoolId}, l.id, s.account_id, s.id from links l join seats s on s.n between 201 and 500 where l.n = 1`;
    await sql`
        insert into join_requests (school_id, id, account_id, role, full_name, group_words, group_id, state, expires_at, reason, decided_by, decided_at)
        select ${schoolId}, uuidv7(interval '1 minute' * (i.n - 500)), o.account_id, case when i.n % 3 = 0 then 'pupil' else 'guardian' end, s.full_name,
          '7Б', s.group_id, case when i.n <= 300 then 'open' else 'declined' end, now() + interval '9 days',
          case when i.n > 300 then 'Не из школы' end, case when i.n > 300 then a.id end, case when i.n > 300 then now() end
        from generate_series(1, 500) as i (n) join seats s on s.n = 300 + i.n * 3 join seats o on o.n = 3000 + i.n join seats a on a.n = 1`;
    await sql`
        insert into requests (school_id, id, permission, what, wish, about_id, asked_by, expires_at, decided_at, outcome, decided_by)
        select ${schoolId}, uuidv7(interval '1 minute' * (i.n - 500)), 'moveMembers',
          jsonb_build_object('kind', 'endMembership', 'membershipId', p.id, 'endReason', 'left'), 'wish ' || i.n, p.id, t.id,
          now() + interval '9 days', case when i.n > 300 then now() end, case when i.n > 300 then 'approved' end,
          case when i.n > 300 then a.id end
        from generate_series(1, 500) as i (n) join seats p on p.n = 200 + i.n join seats t on t.n = 5 + i.n % 180 join seats a on a.n = 1`;
    await sql`
        insert into school_notices (school_id, id, kind, membership_id, other_id, settled_at, settled_by)
        select ${schoolId}, uuidv7(interval '1 minute' * (i.n - 500)), 'sameName', p.id, o.id, case when i.n > 300 then now() end,
          case when i.n > 300 then a.id end
        from generate_series(1, 500) as i (n) join seats p on p.n = 200 + i.n join seats o on o.n = 5 + i.n % 180 join seats a on a.n = 1`;
    await sql`
        insert into audit_records (school_id, id, at, action, actor_id, membership_id, group_id, before, after, address)
        select ${schoolId}, uuidv7(interval '5 minutes' * (i.n - 20000)), now() + interval '5 minutes' * (i.n - 20000),
          (array['membershipStarted', 'memberTransferred', 'guardianLinked', 'inviteMade', 'teacherAttached'])[1 + i.n % 5],
          a.id, p.id, p.group_id, null, jsonb_build_object('childId', p.id), '192.0.2.1'
        from generate_series(1, 20000) as i (n) join seats a on a.n = 1 + i.n % 20 join seats p on p.n = 201 + i.n % 2700`;
    await sql`
        insert into roster_imports (school_id, id, state, file_name, parsed, fingerprint, created_by)
        select ${schoolId}, uuidv7(), 'ready', 'school.csv', '[]', 'x', id from seats where n = 1`;
    await sql`
        insert into roster_import_rows (school_id, import_id, position, kind, role, row)
        select ${schoolId}, i.id, s.n, case when s.n % 10 = 0 then 'changed' else 'new' end, s.role,
          jsonb_build_object('kind', case when s.n % 10 = 0 then 'changed' else 'new' end, 'line', s.n, 'role', s.role, 'name', s.full_name,
            'group', null, 'before', null, 'after', '{}'::jsonb, 'faults', '[]'::jsonb, 'notes', '[]'::jsonb)
        from roster_imports i cross join seats s where i.school_id = ${schoolId} and s.n between 2 and 3000`;
    await sql`
        insert into sessions (id, account_id, token_hash, carrier, device_name, confirmed_at)
        select uuidv7(), account_id, ${hashToken(token)}, 'bearer', 'bench', now() from seats where n = 1`;
    const [ids] = await sql<Omit<BigSchool, 'schoolId' | 'token'>[]>`
        select a.id as "as", p.group_id as "groupId", p.id as "pupilId", g.id as "guardianId", e.id as "endedId", t.id as "teacherId",
          l.id as "inviteId", i.id as "importId"
        from seats a, seats p, seats g, seats e, seats t, links l, roster_imports i
        where a.n = 1 and p.n = 300 and g.n = 1500 and e.n = 4000 and t.n = 20 and l.n = 1 and i.school_id = ${schoolId}`;
    if (ids === undefined) throw new Error('the school was not written');
    return { ...ids, schoolId, token };
  });
  // As autovacuum would within a minute.
  await database.client`vacuum (analyze)`;
  return school;
}
