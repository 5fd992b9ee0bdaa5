import { randomBytes, randomUUID } from 'node:crypto';

/** One signed-in device. */
export interface Person {
  readonly accountId: string;
  readonly membershipId: string;
  readonly sessionId: string;
  readonly token: string;
}

export interface Room {
  readonly conversationId: string;
  /** Indexes into the people. */
  readonly members: readonly number[];
}

/** Who is online in a scenario and who hears whom; the same for both servers. One school. */
export interface Population {
  readonly schoolId: string;
  readonly people: readonly Person[];
  readonly rooms: readonly Room[];
}

/** `count` rooms of `size`, each person in one. */
export function apart(count: number, size: number): Population {
  const members = (room: number) => Array.from({ length: size }, (_, index) => room * size + index);
  return populate(
    count * size,
    Array.from({ length: count }, (_, room) => members(room)),
  );
}

/** `count` people, each in `each` rooms of about `size`, every time among others. */
export function overlapping(count: number, each: number, size: number): Population {
  const perLayer = Math.ceil(count / size);
  const rooms: number[][] = Array.from({ length: each * perLayer }, () => []);
  for (let person = 0; person < count; person++) {
    for (let layer = 0; layer < each; layer++) {
      // Neighbours of one layer are strangers in the next: the second digit of a person's place moves by the first.
      const place = Math.floor(person / size) + layer * (person % size);
      rooms[layer * perLayer + (place % perLayer)]?.push(person);
    }
  }
  return populate(count, rooms);
}

function populate(count: number, rooms: readonly (readonly number[])[]): Population {
  return {
    schoolId: randomUUID(),
    people: Array.from({ length: count }, () => ({
      accountId: randomUUID(),
      membershipId: randomUUID(),
      sessionId: randomUUID(),
      token: randomBytes(32).toString('base64url'),
    })),
    rooms: rooms.map((members) => ({ conversationId: randomUUID(), members })),
  };
}
