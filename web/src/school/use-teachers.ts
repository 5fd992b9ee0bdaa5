import { type Member, schoolLimits } from '@zvonok/client-sdk';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { useMembership } from '../platform/membership.tsx';
import { tellError } from '../platform/tell.ts';
import { errorWords } from '../platform/words.ts';

/** All of the school's teachers, asked for when they are first wanted; undefined until they have come. */
export function useTeachers(wanted: boolean): readonly Member[] | undefined {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const [teachers, setTeachers] = useState<readonly Member[]>();
  useEffect(() => {
    if (!wanted) return undefined;
    let here = true;
    async function readAll() {
      const all: Member[] = [];
      for (let hasMore = true; hasMore && here; ) {
        const after = all.at(-1)?.membershipId;
        const page = await client.school.listMembers({
          as,
          role: 'teacher',
          limit: schoolLimits.membersListed,
          ...(after === undefined ? {} : { after }),
        });
        all.push(...page.members);
        hasMore = page.hasMore;
      }
      if (here) setTeachers(all);
    }
    readAll().catch((error: unknown) => tellError(errorWords(error, t)));
    return () => {
      here = false;
    };
  }, [as, wanted, t]);
  return teachers;
}
