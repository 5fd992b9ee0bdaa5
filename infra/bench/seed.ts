import { openDatabase } from '../../server/src/platform/database.ts';
import { hashToken } from '../../server/src/platform/tokens.ts';
import type { Population } from './population.ts';

let lastPhone = 79_000_000_000;

/**
 * Writes a population as a school of pupils, straight into the tables: signing five thousand people in by code would take
 * longer than the measurement. What the server then checks at each call is all there: account, session, membership,
 * conversation and who is in it.
 */
export async function seed(url: string, { schoolId, people, rooms }: Population): Promise<void> {
  const database = await openDatabase({
    url,
    poolSize: 2,
    migrate: false,
    onCommitted: () => undefined,
    applicationName: 'zvonok bench',
  });
  const groupId = crypto.randomUUID();
  const accountIds = people.map((person) => person.accountId);
  const membershipIds = people.map((person) => person.membershipId);
  const conversationIds = rooms.map((room) => room.conversationId);
  const seats = rooms.flatMap((room) =>
    room.members.map((member) => ({ room: room.conversationId, person: membershipIds[member] ?? '' })),
  );
  try {
    await database.inTransaction(async ({ raw: sql }) => {
      await sql`insert into schools (id, name, vocabulary) values (${schoolId}, 'Замер', 'school')`;
      await sql`insert into groups (school_id, id, name, kind) values (${schoolId}, ${groupId}, '7Б', 'class')`;
      await sql`
        insert into accounts (id, phone)
        select * from unnest(${accountIds}::uuid[], ${people.map(() => `+${++lastPhone}`)}::text[])`;
      await sql`
        insert into sessions (id, account_id, token_hash, carrier, device_name)
        select id, account_id, token_hash, 'bearer', 'bench'
        from unnest(
          ${people.map((person) => person.sessionId)}::uuid[], ${accountIds}::uuid[],
          ${people.map((person) => hashToken(person.token))}::text[]
        ) as p (id, account_id, token_hash)`;
      await sql`
        insert into memberships (school_id, id, account_id, role, full_name, group_id)
        select ${schoolId}, id, account_id, 'pupil', 'Ученик ' || n, ${groupId}
        from unnest(${membershipIds}::uuid[], ${accountIds}::uuid[]) with ordinality as p (id, account_id, n)`;
      await sql`
        insert into conversations (school_id, id, kind, title, member_count, created_at)
        select ${schoolId}, id, 'free', 'Замер ' || id, size, now()
        from unnest(${conversationIds}::uuid[], ${rooms.map((room) => room.members.length)}::int[]) as c (id, size)`;
      await sql`
        insert into conversation_members
          (school_id, conversation_id, membership_id, reader, joined_seq, read_seq, joined_at)
        select ${schoolId}, conversation_id, membership_id, false, 0, 0, now()
        from unnest(${seats.map((seat) => seat.room)}::uuid[], ${seats.map((seat) => seat.person)}::uuid[])
          as s (conversation_id, membership_id)`;
    });
    // As autovacuum would within a minute. Not the tables still empty: known to be empty they would be scanned as a whole.
    await database.client`analyze accounts, sessions, memberships, conversations, conversation_members`;
  } finally {
    await database.close();
  }
}
