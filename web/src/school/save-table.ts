import type { MembershipId } from '@zvonok/client-sdk';
import { client } from '../platform/client.ts';
import { saveFile } from '../platform/save-file.ts';

/** Has the browser save everybody, or the empty table. Rejects with `CodedError`. */
export async function saveTable(as: MembershipId, format: 'csv' | 'xlsx', blank: boolean): Promise<void> {
  const { name, table } = await client.school.exportTable(as, format, { blank });
  saveFile(name, table);
}
