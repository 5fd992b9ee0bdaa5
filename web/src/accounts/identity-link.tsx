import { Button } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useIdentityProvider } from '../platform/health.ts';
import { Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { longDate } from '../platform/words.ts';

/** Whether the region's identity provider signs this person in, and the way to undo that. Nothing where it does not. */
export function IdentityLink() {
  const { t } = useTranslation();
  const name = useIdentityProvider();
  const [linkedAt, setLinkedAt] = useState<string | null>(null);
  const [unlinking, setUnlinking] = useState(false);
  const load = useCallback(() => {
    // Settings without this section are still settings: it comes with the next visit.
    client.accounts.getIdentityLink().then(
      (answer) => setLinkedAt(answer.linkedAt),
      () => undefined,
    );
  }, []);
  useEffect(load, [load]);
  if (name === undefined || linkedAt === null) return null;
  return (
    <Section
      title={t('identity.title', { name })}
      lead={t('identity.linked', { when: longDate(linkedAt) })}
      action={
        <Button
          size="xs"
          variant="subtle"
          color="red"
          onClick={() => setUnlinking(true)}
          data-testid="unlink-provider"
        >
          {t('identity.unlink')}
        </Button>
      }
    >
      <Confirm
        opened={unlinking}
        title={t('identity.unlinkTitle', { name })}
        confirm={t('identity.unlink')}
        danger
        onClose={() => setUnlinking(false)}
        onConfirm={async () => {
          await client.accounts.removeIdentityLink();
          tell(t('identity.unlinked'));
          setLinkedAt(null);
        }}
      >
        {t('identity.unlinkText', { name })}
      </Confirm>
    </Section>
  );
}
