import type { MembershipId } from '@zvonok/client-sdk';
import { client } from '../platform/client.ts';

/** Has the browser save everybody, or the empty table. Rejects with `CodedError`. */
export async function saveTable(as: MembershipId, format: 'csv' | 'xlsx', blank: boolean): Promise<void> {
  const { name, table } = await client.school.exportTable(as, format, { blank });
  const url = URL.createObjectURL(table);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser takes it in its own time.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
