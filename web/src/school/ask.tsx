import { Button, Textarea, TextInput } from '@mantine/core';
import { type RequestedAction, requestLimits, schoolLimits } from '@zvonok/client-sdk';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { plainLine, plainParagraph } from '../desk/plain-text.ts';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tell } from '../platform/tell.ts';
import { SpokenError } from '../platform/words.ts';
import classes from './requests.module.css';
import { useRequests } from './use-requests.ts';

const labelled = { label: { color: 'var(--mantine-color-text)' } };

/** A button that opens a few fields and sends what they say as a request. */
function Ask({
  button,
  title,
  lead,
  wish,
  onSent,
  variant = 'light',
  children,
  testId,
}: {
  button: string;
  title: string;
  lead: string;
  /** Undefined while something is missing. */
  wish: () => RequestedAction | undefined;
  onSent: () => void;
  variant?: 'light' | 'filled';
  children: ReactNode;
  testId: string;
}) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant={variant} onClick={() => setOpened(true)} data-testid={testId}>
        {button}
      </Button>
      <Confirm
        opened={opened}
        title={title}
        confirm={t('requests.send')}
        onClose={() => setOpened(false)}
        onConfirm={async () => {
          const what = wish();
          if (what === undefined) throw new SpokenError((say) => say('requests.fillIn'));
          await client.school.createRequest({ as, what });
          tell(t('requests.sent'));
          onSent();
        }}
      >
        {lead}
        <div className={classes.fields}>{children}</div>
      </Confirm>
    </>
  );
}

/** What was asked for already, so that nobody wonders whether it arrived. */
function Sent({ text, onWithdraw }: { text: string; onWithdraw: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <>
      <p role="status" className={classes.sent}>
        {text}
      </p>
      <Button variant="subtle" onClick={() => setOpened(true)} data-testid="withdraw">
        {t('requests.withdraw')}
      </Button>
      <Confirm
        opened={opened}
        title={t('requests.withdrawTitle')}
        confirm={t('requests.withdraw')}
        onClose={() => setOpened(false)}
        onConfirm={onWithdraw}
      >
        {t('requests.withdrawText')}
      </Confirm>
    </>
  );
}

/** For staff who are not verified yet: asks the administrator, and shows what became of it. */
export function AskVerification() {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const open = useRequests('mine', 'open');
  const closed = useRequests('mine', 'closed');
  const [typed, setTyped] = useState('');
  if (open.requests === undefined || closed.requests === undefined) return null;
  const asked = open.requests.find((request) => request.what.kind === 'ownVerification');
  if (asked?.what.kind === 'ownVerification') {
    return (
      <Sent
        text={t('requests.verification.sent', { basis: asked.what.basis })}
        onWithdraw={() => client.school.withdrawRequest({ as, requestId: asked.id })}
      />
    );
  }
  const [last] = closed.requests.filter((request) => request.what.kind === 'ownVerification');
  const basis = plainLine(typed);
  return (
    <>
      {last?.state === 'declined' && (
        <p role="status" className={classes.sent}>
          {t('requests.verification.declined', { comment: last.comment ?? '' })}
        </p>
      )}
      <Ask
        button={t('requests.verification.ask')}
        title={t('requests.verification.title')}
        lead={t('requests.verification.lead')}
        variant="filled"
        wish={() => (basis === '' ? undefined : { kind: 'ownVerification', basis })}
        onSent={open.reload}
        testId="ask-verification"
      >
        <TextInput
          label={t('people.basis')}
          placeholder={t('people.basisExample')}
          maxLength={schoolLimits.basisLength}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          styles={labelled}
          data-autofocus
          data-testid="basis"
        />
      </Ask>
    </>
  );
}

/** For guardians: names the child in words; whom the school has by that name it tells to those who decide. */
export function AskForChild() {
  const { t } = useTranslation();
  const { id: as, vocabulary, groupName } = useMembership();
  const open = useRequests('mine', 'open');
  const [child, setChild] = useState('');
  const [group, setGroup] = useState(groupName ?? '');
  if (open.requests === undefined) return null;
  const [childName, ofGroup] = [plainLine(child), plainLine(group)];
  const asked = open.requests.filter((request) => request.what.kind === 'linkOwnChild');
  return (
    <>
      {asked.map(({ id, what }) =>
        what.kind === 'linkOwnChild' ? (
          <Sent
            key={id}
            text={t('requests.child.sent', { child: what.childName, group: what.groupName })}
            onWithdraw={() => client.school.withdrawRequest({ as, requestId: id })}
          />
        ) : null,
      )}
      <Ask
        button={t(asked.length === 0 ? 'requests.child.ask' : 'requests.child.another')}
        title={t('requests.child.title')}
        lead={t('requests.child.lead')}
        variant={asked.length === 0 ? 'filled' : 'light'}
        wish={() =>
          childName === '' || ofGroup === ''
            ? undefined
            : { kind: 'linkOwnChild', childName, groupName: ofGroup }
        }
        onSent={() => {
          setChild('');
          open.reload();
        }}
        testId="ask-child"
      >
        <TextInput
          label={t('requests.child.name')}
          maxLength={schoolLimits.nameLength}
          value={child}
          onChange={(event) => setChild(event.currentTarget.value)}
          styles={labelled}
          data-autofocus
          data-testid="child-name"
        />
        <TextInput
          label={t(`words.${vocabulary}.group`)}
          maxLength={schoolLimits.groupNameLength}
          value={group}
          onChange={(event) => setGroup(event.currentTarget.value)}
          styles={labelled}
          data-testid="child-group"
        />
      </Ask>
    </>
  );
}

/** For teachers below a channel that they only read: offers a text to those who write there. */
export function AskToPost({ channel }: { channel: 'general' | 'staff' }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const text = plainParagraph(typed);
  return (
    <Ask
      button={t('requests.post.ask')}
      title={t('requests.post.title')}
      lead={t('requests.post.lead')}
      wish={() => (/[\p{L}\p{N}]/u.test(text) ? { kind: 'post', channel, text } : undefined)}
      onSent={() => setTyped('')}
      testId="ask-post"
    >
      <Textarea
        label={t('requests.post.text')}
        autosize
        minRows={4}
        maxRows={12}
        maxLength={requestLimits.postLength}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        styles={labelled}
        data-autofocus
        data-testid="post-text"
      />
    </Ask>
  );
}
