import { Alert, Anchor, Button, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconLinkOff } from '@tabler/icons-react';
import type { MyMembership, OutputOf, schoolProcedures } from '@zvonok/client-sdk';
import { waitFor } from '@zvonok/client-sdk';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { Door } from '../accounts/door.tsx';
import { PhoneSignIn } from '../accounts/phone-sign-in.tsx';
import { client, useSession } from '../platform/client.ts';
import { useActing } from '../platform/membership.tsx';
import { Notice } from '../platform/notice.tsx';
import { errorWords, hasCode, phoneWords, roleWord } from '../platform/words.ts';
import classes from './redeem-invite.module.css';

type Preview = OutputOf<(typeof schoolProcedures)['school.previewInvite']>;

/** The token stands behind `#`, so that it never reaches a server log or a link preview. */
function tokenInAddress(): string | undefined {
  const token = location.hash.slice(1);
  return /^[A-Za-z0-9_-]{43}$/.test(token) ? token : undefined;
}

export function RedeemInvite() {
  const { t } = useTranslation();
  const [token, setToken] = useState(tokenInAddress);
  const [preview, setPreview] = useState<Preview>();
  const [problem, setProblem] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);
  const session = useSession();

  useEffect(() => {
    const follow = () => setToken(tokenInAddress());
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` asks again
  useEffect(() => {
    if (token === undefined) return undefined;
    let here = true;
    setProblem(undefined);
    client.school.previewInvite({ token }).then(
      (answer) => here && setPreview(answer),
      (error: unknown) => here && setProblem(error),
    );
    return () => {
      here = false;
    };
  }, [token, attempt]);

  if (token === undefined) {
    return (
      <Door title={t('invite.title')}>
        <Notice
          icon={<IconLinkOff size={36} />}
          title={t('invite.missingTitle')}
          text={t('invite.missingText')}
        />
      </Door>
    );
  }
  if (hasCode(problem, 'INVITE_INVALID', 'VALIDATION')) {
    return (
      <Door title={t('invite.title')}>
        <Notice
          icon={<IconLinkOff size={36} />}
          title={t('invite.invalidTitle')}
          text={t('invite.invalidText')}
        />
      </Door>
    );
  }
  if (problem !== undefined) {
    return (
      <Door title={t('invite.title')}>
        <Alert color="red" role="alert">
          {errorWords(problem, t)}
        </Alert>
        <Button mt="md" onClick={() => setAttempt((count) => count + 1)}>
          {t('common.retry')}
        </Button>
      </Door>
    );
  }
  if (preview === undefined || session.state === 'unknown') {
    return (
      <Door title={t('invite.title')}>
        <Stack aria-busy aria-label={t('invite.checking')}>
          <Skeleton h={92} radius="lg" />
          <Skeleton h={50} />
          <Skeleton h={50} />
        </Stack>
      </Door>
    );
  }
  return (
    <Door title={t('invite.joinAs')}>
      <dl className={classes.card} data-testid="invite-preview">
        <div className={classes.school}>{preview.schoolName}</div>
        <div className={classes.row}>
          <dt>{t('invite.role')}</dt>
          <dd>{roleWord(preview.role, preview.vocabulary, t)}</dd>
        </div>
        <div className={classes.row}>
          <dt>{t('invite.group')}</dt>
          <dd>
            {preview.groupName}
            {preview.subject === null ? '' : ` · ${preview.subject}`}
          </dd>
        </div>
      </dl>
      {session.state === 'signedIn' ? (
        <Accept
          token={token}
          preview={preview}
          phone={session.account.phone ?? ''}
          known={session.memberships}
        />
      ) : (
        <PhoneSignIn inviteToken={token} />
      )}
    </Door>
  );
}

function Accept({
  token,
  preview,
  phone,
  known,
}: {
  token: string;
  preview: Preview;
  phone: string;
  known: readonly MyMembership[];
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { choose } = useActing();
  const [fullName, setFullName] = useState(known[0]?.fullName ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [short, setShort] = useState(false);

  async function accept(event: FormEvent) {
    event.preventDefault();
    const name = fullName.trim().replace(/\s+/g, ' ');
    if (!preview.personal && name.split(' ').length < 2) {
      setShort(true);
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      const { membership } = await client.school.redeemInvite({
        token,
        ...(preview.personal ? {} : { fullName: name }),
      });
      // The school decides first: where that stands is on the page of one's requests.
      if (membership === null) {
        navigate('/join', { replace: true });
        return;
      }
      choose(membership.id);
      navigate((await homeOf(membership)) ?? '/', { replace: true });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  async function otherAccount() {
    try {
      await client.accounts.signOut();
    } catch (error) {
      setProblem(error);
    }
  }

  return (
    <form onSubmit={accept} noValidate>
      <Stack>
        {!preview.personal && (
          <TextInput
            size="lg"
            label={t('invite.fullName')}
            description={`${t('invite.fullNameHint')}${preview.role === 'guardian' ? `. ${t('invite.childHint')}` : ''}`}
            descriptionProps={{ lh: 1.4, mb: 6 }}
            name="name"
            autoComplete="name"
            autoCapitalize="words"
            maxLength={120}
            value={fullName}
            onChange={(event) => {
              setFullName(event.currentTarget.value);
              setShort(false);
            }}
            error={short ? t('invite.fullNameShort') : undefined}
            autoFocus
            data-testid="full-name"
          />
        )}
        {(preview.needsApproval || preview.match === 'roster') && (
          <Text size="sm" c="dimmed">
            {t(preview.needsApproval ? 'invite.needsApproval' : 'invite.matchesRoster')}
          </Text>
        )}
        {problem !== undefined && (
          <Alert color="red" role="alert">
            {errorWords(problem, t)}
            {hasCode(problem, 'ALREADY_MEMBER') && (
              <Anchor
                component="button"
                type="button"
                ml="xs"
                onClick={() => navigate('/', { replace: true })}
              >
                {t('invite.openChats')}
              </Anchor>
            )}
          </Alert>
        )}
        <Button type="submit" size="lg" loading={busy} data-testid="accept-invite">
          {t('invite.accept')}
        </Button>
        <Text size="sm" c="dimmed" ta="center">
          {t('invite.asCurrent', { phone: phoneWords(phone) })}{' '}
          <Anchor component="button" type="button" size="sm" onClick={otherAccount}>
            {t('invite.otherAccount')}
          </Anchor>
        </Text>
      </Stack>
    </form>
  );
}

/** How long the way into the class chat may take before the list is shown instead. */
const homeWaitMs = 4_000;

/** The path of the chat where a new member belongs; undefined where there is none yet. */
async function homeOf(membership: MyMembership): Promise<string | undefined> {
  const kind = membership.role === 'pupil' ? 'class' : membership.role === 'guardian' ? 'parents' : 'staff';
  const find = () =>
    client
      .messenger(membership.id)
      .getSnapshot()
      .conversations.find((conversation) => conversation.kind === kind);
  try {
    await waitFor(client.messenger(membership.id), () => find() !== undefined, homeWaitMs);
  } catch {
    return undefined;
  }
  const home = find();
  return home === undefined ? undefined : `/c/${home.id}`;
}
