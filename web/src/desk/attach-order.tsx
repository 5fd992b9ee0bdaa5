import { Button, Progress } from '@mantine/core';
import type { OwnApplication } from '@zvonok/client-sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { errorWords, hasCode } from '../platform/words.ts';
import classes from './apply.module.css';
import { orderFault, PickOrder } from './pick-order.tsx';

/** Sends the scan of an order with progress, and again after a failure, without asking for anything else anew. */
export function AttachOrder({
  token,
  application,
  first,
  onAttached,
}: {
  token: string;
  application: OwnApplication;
  /** Picked with the form, sent at once; the same one is sent once. */
  first: File | undefined;
  onAttached: (application: OwnApplication) => void;
}) {
  const { t } = useTranslation();
  const [file, setFile] = useState<File>();
  const [share, setShare] = useState<number>();
  const [problem, setProblem] = useState<string>();
  const [again, setAgain] = useState(false);
  const begun = useRef<File>(undefined);

  const send = useCallback(
    async (chosen: File) => {
      const fault = orderFault(chosen, t);
      setFile(chosen);
      setProblem(fault);
      setAgain(false);
      if (fault !== undefined) return;
      setShare(0);
      try {
        onAttached(await client.desk.attachOrder(token, chosen, chosen.name, setShare));
        setFile(undefined);
      } catch (error) {
        const wrongType = hasCode(error, 'UNSUPPORTED_TYPE');
        setProblem(wrongType ? t('apply.orderType') : t('apply.scanFailed', { why: errorWords(error, t) }));
        setAgain(!wrongType);
      } finally {
        setShare(undefined);
      }
    },
    [token, onAttached, t],
  );

  useEffect(() => {
    if (first === undefined || begun.current === first) return;
    begun.current = first;
    void send(first);
  }, [first, send]);

  const sending = share !== undefined;
  return (
    <div className={classes.attach}>
      <PickOrder
        name={file?.name ?? application.orderFile ?? undefined}
        error={problem}
        attached={!sending && problem === undefined && application.orderFile !== null}
        busy={sending}
        onPick={(chosen) => void send(chosen)}
      >
        {sending && (
          <div className={classes.sending} data-testid="sending-order">
            <Progress value={Math.max(4, share * 100)} aria-label={t('apply.sending')} radius="xl" />
            <span className={classes.quiet} role="status">
              {t('apply.sending')}
            </span>
          </div>
        )}
      </PickOrder>
      {again && file !== undefined && (
        <Button mt="xs" size="sm" onClick={() => void send(file)} data-testid="send-order-again">
          {t('apply.sendAgain')}
        </Button>
      )}
      {!sending && problem === undefined && application.orderFile === null && (
        <p className={classes.warning}>{t('apply.orderNeeded')}</p>
      )}
    </div>
  );
}
