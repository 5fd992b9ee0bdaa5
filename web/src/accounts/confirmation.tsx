import { lazy, Suspense, useEffect, useState } from 'react';
import { client, useSession } from '../platform/client.ts';

const ConfirmationDialog = lazy(() =>
  import('./confirmation-dialog.tsx').then((module) => ({ default: module.ConfirmationDialog })),
);

/**
 * Where an action needs the person to confirm that it is them, asks over whatever is on the screen; the SDK then makes the
 * call again. Stands once above all screens, so that none of them has to know.
 */
export function Confirmation() {
  const session = useSession();
  const [answer, setAnswer] = useState<(confirmed: boolean) => void>();
  useEffect(
    () =>
      client.onConfirmationRequired(
        () =>
          new Promise<boolean>((resolve) =>
            setAnswer(() => (confirmed: boolean) => {
              setAnswer(undefined);
              resolve(confirmed);
            }),
          ),
      ),
    [],
  );
  const signedIn = session.state === 'signedIn';
  useEffect(() => {
    // Signed out meanwhile, from another device.
    if (!signedIn) answer?.(false);
  }, [signedIn, answer]);
  if (answer === undefined || session.state !== 'signedIn') return null;
  return (
    <Suspense fallback={null}>
      <ConfirmationDialog phone={session.account.phone ?? ''} onAnswer={answer} />
    </Suspense>
  );
}
