import { Alert, Button, CopyButton, Skeleton, Textarea, TextInput } from '@mantine/core';
import {
  IconCheck,
  IconCircleCheck,
  IconCopy,
  IconHourglass,
  IconLinkOff,
  IconMessageQuestion,
  IconXboxX,
  type TablerIcon,
} from '@tabler/icons-react';
import { type ApplicationState, deskLimits, type OwnApplication } from '@zvonok/client-sdk';
import { type FormEvent, useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Door } from '../accounts/door.tsx';
import { useAskedAgain } from '../platform/asked-again.ts';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { Notice } from '../platform/notice.tsx';
import { tell } from '../platform/tell.ts';
import { errorWords, hasCode, momentWithin } from '../platform/words.ts';
import classes from './apply.module.css';
import { AttachOrder } from './attach-order.tsx';
import { useKept } from './kept.ts';
import { plainParagraph } from './plain-text.ts';

const icons: Readonly<Record<ApplicationState, TablerIcon>> = {
  submitted: IconHourglass,
  questioned: IconMessageQuestion,
  approved: IconCircleCheck,
  declined: IconXboxX,
};

/** How an application stands, for whoever holds its link: what to do now, and how to find back here. */
export function ApplicationStatus({ token, order }: { token: string; order: File | undefined }) {
  const { t } = useTranslation();
  const [application, setApplication] = useState<OwnApplication>();
  const [problem, setProblem] = useState<unknown>();

  const load = useCallback(() => {
    client.desk.getApplication({ token }).then(
      (answer) => {
        setApplication(answer.application);
        setProblem(undefined);
      },
      (error: unknown) => setProblem(error),
    );
  }, [token]);
  useAskedAgain(load);

  if (application === undefined && hasCode(problem, 'NOT_FOUND', 'VALIDATION')) {
    return (
      <Door title={t('apply.status')}>
        <Notice
          icon={<IconLinkOff size={36} />}
          title={t('apply.unknownTitle')}
          text={t('apply.unknownText')}
        >
          <Button component={Link} to="/apply" variant="light">
            {t('apply.another')}
          </Button>
        </Notice>
      </Door>
    );
  }
  if (application === undefined) {
    return (
      <Door title={t('apply.status')} wide>
        {problem === undefined ? (
          <div role="status" aria-busy aria-label={t('common.loading')}>
            <Skeleton h={96} mt="md" />
            <Skeleton h={72} mt="md" />
          </div>
        ) : (
          <LoadFailed words={errorWords(problem, t)} onRetry={load} />
        )}
      </Door>
    );
  }
  const { state } = application;
  const waits = state === 'submitted' || state === 'questioned';
  const Icon = icons[state];
  return (
    <Door title={application.schoolName} wide>
      <p className={classes.quiet}>{t('apply.sentAt', { when: momentWithin(application.submittedAt, t) })}</p>
      <section
        className={classes.state}
        data-state={state}
        data-testid="application-state"
        aria-live="polite"
      >
        <Icon size={30} stroke={1.7} className={classes.stateIcon} aria-hidden />
        <div className={classes.stateWords}>
          <h2 className={classes.stateTitle}>{t(`apply.states.${state}.title`)}</h2>
          <p className={classes.stateText}>{t(`apply.states.${state}.text`)}</p>
          {application.note !== null && state !== 'submitted' && (
            <blockquote className={classes.note} data-testid="application-note">
              {application.note}
            </blockquote>
          )}
        </div>
      </section>
      {state === 'questioned' && (
        <Answer token={token} application={application} onAnswered={setApplication} />
      )}
      {waits && (
        <AttachOrder token={token} application={application} first={order} onAttached={setApplication} />
      )}
      {state === 'approved' && (
        <Button component={Link} to="/signin" size="lg" mt="lg" data-testid="to-sign-in">
          {t('apply.signIn')}
        </Button>
      )}
      {state === 'declined' && (
        <Button component={Link} to="/apply" variant="light" mt="lg">
          {t('apply.another')}
        </Button>
      )}
      {waits && <WayBack />}
    </Door>
  );
}

function Answer({
  token,
  application,
  onAnswered,
}: {
  token: string;
  application: OwnApplication;
  onAnswered: (application: OwnApplication) => void;
}) {
  const { t } = useTranslation();
  const [typed, keep, forget] = useKept(`answer.${application.id}`, { text: '' });
  const [missing, setMissing] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  async function answer(event: FormEvent) {
    event.preventDefault();
    const text = plainParagraph(typed.text);
    setProblem(undefined);
    const empty = !/[\p{L}\p{N}]/u.test(text);
    setMissing(empty);
    if (empty) return;
    setBusy(true);
    try {
      const answered = await client.desk.answerQuestion({ token, answer: text });
      forget();
      tell(t('apply.answered'));
      onAnswered(answered.application);
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  return (
    <form onSubmit={answer} noValidate className={classes.answer}>
      <Textarea
        label={t('apply.answer')}
        autosize
        minRows={3}
        maxRows={12}
        maxLength={deskLimits.reasonLength}
        value={typed.text}
        onChange={(event) => {
          keep({ text: event.currentTarget.value });
          setMissing(false);
        }}
        error={missing ? t('apply.answerMissing') : undefined}
        data-testid="answer"
      />
      {problem !== undefined && (
        <Alert color="red" role="alert" mt="sm">
          {errorWords(problem, t)}
        </Alert>
      )}
      <Button type="submit" mt="sm" loading={busy} data-testid="send-answer">
        {t('apply.sendAnswer')}
      </Button>
    </form>
  );
}

/** The address of this page is the only key to it: nobody can send it again. */
function WayBack() {
  const { t } = useTranslation();
  const link = location.href;
  return (
    <section className={classes.wayBack}>
      <h2 className={classes.partTitle}>{t('apply.keepTitle')}</h2>
      <p className={classes.partLead}>{t('apply.keepText')}</p>
      <div className={classes.link}>
        <TextInput
          aria-label={t('apply.linkLabel')}
          value={link}
          readOnly
          onFocus={(event) => event.currentTarget.select()}
          data-testid="application-link"
        />
        <CopyButton value={link} timeout={3_000}>
          {({ copied, copy }) => (
            <Button
              variant="light"
              onClick={copy}
              leftSection={copied ? <IconCheck size={20} aria-hidden /> : <IconCopy size={20} aria-hidden />}
            >
              <span aria-live="polite">{copied ? t('common.copied') : t('apply.copy')}</span>
            </Button>
          )}
        </CopyButton>
      </div>
    </section>
  );
}
