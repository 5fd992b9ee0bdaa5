import { Alert, Anchor, Button } from '@mantine/core';
import { IconAlertTriangle, IconArrowLeft, IconDownload } from '@tabler/icons-react';
import type { Application } from '@zvonok/client-sdk';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { tell } from '../platform/tell.ts';
import { fullDate, momentWithin, phoneWords } from '../platform/words.ts';
import classes from './operator.module.css';
import { ReasonDialog } from './reason-dialog.tsx';

type Step = 'approve' | 'ask' | 'decline';

/** One application with all that the school told, and the decision about it. */
export function ApplicationCard({
  application,
  back,
  onDecided,
}: {
  application: Application;
  /** The path of the list, for a phone. */
  back: string;
  onDecided: () => void;
}) {
  const { t } = useTranslation();
  const [step, setStep] = useState<Step>();
  const { state, schoolName, adminName, orderFile, note, answer, similar } = application;
  const waits = state === 'submitted' || state === 'questioned';
  const close = () => setStep(undefined);
  // Whoever chose it by keyboard goes on reading here.
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <article className={classes.card} aria-label={schoolName} data-testid="application-card">
      <Anchor component={Link} to={back} className={classes.back ?? ''}>
        <IconArrowLeft size={20} aria-hidden /> {t('operator.back')}
      </Anchor>
      <h2 className={classes.cardTitle} ref={heading} tabIndex={-1}>
        {schoolName}
      </h2>
      <p className={classes.quiet}>
        {t(`apply.vocabularies.${application.vocabulary}`)} ·{' '}
        {t('apply.sentAt', { when: momentWithin(application.submittedAt, t) })}
      </p>
      {similar.length > 0 && waits && (
        <Alert
          color="red"
          mt="md"
          icon={<IconAlertTriangle size={20} />}
          title={t('operator.similarTitle')}
          data-testid="similar"
        >
          {t('operator.similarText')}
          <ul className={classes.similar}>
            {similar.map((name, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: two may have the same name, and the list stands still
              <li key={`${index} ${name}`}>{name}</li>
            ))}
          </ul>
        </Alert>
      )}
      {(note !== null || answer !== null) && (
        <div className={classes.talk}>
          {note !== null && (
            <Said who={t(state === 'declined' ? 'operator.youDeclined' : 'operator.youAsked')}>{note}</Said>
          )}
          {answer !== null && (
            <Said who={t('operator.theyAnswered')} own>
              {answer}
            </Said>
          )}
        </div>
      )}
      <dl className={classes.facts}>
        <Fact name={t('apply.fields.registerId')}>{application.registerId}</Fact>
        <Fact name={t('apply.fields.address')}>{application.address}</Fact>
        <Fact name={t('operator.admin')}>{adminName}</Fact>
        <Fact name={t('apply.fields.adminPhone')}>
          <Anchor href={`tel:${application.adminPhone}`}>{phoneWords(application.adminPhone)}</Anchor>
        </Fact>
        <Fact name={t('apply.fields.adminEmail')}>
          <Anchor href={`mailto:${application.adminEmail}`}>{application.adminEmail}</Anchor>
        </Fact>
        <Fact name={t('operator.order')}>
          {t('operator.orderOf', {
            number: application.orderNumber,
            // A day without an hour is that day here, not in Greenwich.
            date: fullDate(`${application.orderDate}T00:00`),
          })}
        </Fact>
        <Fact name={t('operator.scan')}>
          {orderFile === null ? (
            t('operator.noScan')
          ) : (
            <Button
              component="a"
              href={client.desk.orderUrl(application.id)}
              download
              variant="light"
              size="sm"
              leftSection={<IconDownload size={18} aria-hidden />}
              classNames={{ label: classes.fileName ?? '' }}
              data-testid="download-order"
            >
              {orderFile}
            </Button>
          )}
        </Fact>
        {application.decidedAt !== null && (
          <Fact name={t(`operator.decided.${state === 'approved' ? 'approved' : 'declined'}`)}>
            {momentWithin(application.decidedAt, t)}
            {application.schoolId !== null && (
              <>
                {' · '}
                <Anchor component={Link} to={`/operator/schools?search=${application.schoolId}`}>
                  {t('operator.openSchool')}
                </Anchor>
              </>
            )}
          </Fact>
        )}
      </dl>
      {waits && (
        <div className={classes.decide}>
          <Button onClick={() => setStep('approve')} data-testid="approve">
            {t('operator.approve')}
          </Button>
          <Button variant="light" onClick={() => setStep('ask')} data-testid="ask">
            {t(state === 'questioned' ? 'operator.askAgain' : 'operator.ask')}
          </Button>
          <Button variant="subtle" color="red" onClick={() => setStep('decline')} data-testid="decline">
            {t('operator.decline')}
          </Button>
        </div>
      )}
      <Confirm
        opened={step === 'approve'}
        title={t('operator.approveTitle', { name: schoolName })}
        confirm={t('operator.approve')}
        onClose={close}
        onConfirm={async () => {
          await client.desk.approveApplication({ applicationId: application.id });
          tell(t('operator.approvedDone', { name: schoolName }));
          onDecided();
        }}
      >
        {t('operator.approveText', { admin: adminName, phone: phoneWords(application.adminPhone) })}
        {orderFile === null && <p className={classes.mind}>{t('operator.approveNoScan')}</p>}
        {similar.length > 0 && <p className={classes.mind}>{t('operator.approveSimilar')}</p>}
      </Confirm>
      <ReasonDialog
        opened={step === 'ask'}
        title={t('operator.askTitle')}
        lead={t('operator.askText')}
        label={t('operator.question')}
        missing={t('operator.questionMissing')}
        confirm={t('operator.sendQuestion')}
        onClose={close}
        onConfirm={async (question) => {
          await client.desk.questionApplication({ applicationId: application.id, question });
          tell(t('operator.askedDone'));
          onDecided();
        }}
      />
      <ReasonDialog
        opened={step === 'decline'}
        title={t('operator.declineTitle', { name: schoolName })}
        lead={t('operator.declineText')}
        label={t('operator.reason')}
        missing={t('operator.reasonMissing')}
        confirm={t('operator.decline')}
        danger
        onClose={close}
        onConfirm={async (reason) => {
          await client.desk.declineApplication({ applicationId: application.id, reason });
          tell(t('operator.declinedDone'));
          onDecided();
        }}
      />
    </article>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Said({ who, own = false, children }: { who: string; own?: boolean; children: string }) {
  return (
    <figure className={classes.said} data-own={own || undefined}>
      <figcaption className={classes.quiet}>{who}</figcaption>
      <blockquote className={classes.words}>{children}</blockquote>
    </figure>
  );
}
