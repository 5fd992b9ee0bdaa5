import { Alert, Anchor, Badge, Button, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { type InvitableRole, joiningLimits, type OwnJoinRequest, schoolLimits } from '@zvonok/client-sdk';
import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Door } from '../accounts/door.tsx';
import { PhoneSignIn } from '../accounts/phone-sign-in.tsx';
import { plainLine, plainParagraph } from '../desk/plain-text.ts';
import { client, useSession } from '../platform/client.ts';
import { useActing } from '../platform/membership.tsx';
import { errorWords, hasCode, longDate, momentWithin, roleWord } from '../platform/words.ts';
import classes from './join-requests.module.css';
import { shownJoinCode, typedJoinCode } from './join-words.ts';

type Found = { readonly schoolName: string; readonly vocabulary: OwnJoinRequest['vocabulary'] };
const roles = ['pupil', 'guardian', 'teacher', 'head'] as const satisfies readonly InvitableRole[];

const isWhole = (code: string) => code.length === joiningLimits.codeLength;

/** Somebody without a link asks a school to be let in, by its exact code; and sees what became of it. */
export function Join() {
  const { t } = useTranslation();
  const session = useSession();
  const { all } = useActing();
  const [code, setCode] = useState(() => typedJoinCode(location.hash.slice(1)));
  const [wanted, setWanted] = useState(isWhole(code));
  const [found, setFound] = useState<Found>();
  const [problem, setProblem] = useState<unknown>();
  const [requests, setRequests] = useState<readonly OwnJoinRequest[]>([]);
  const signedIn = session.state === 'signedIn';

  const load = useCallback(() => {
    client.school.listMyJoinRequests({}).then((answer) => setRequests(answer.requests), setProblem);
  }, []);
  useEffect(() => {
    if (!signedIn) return undefined;
    const stop = client.on('school.joinRequestChanged', load);
    load();
    return stop;
  }, [signedIn, load]);

  useEffect(() => {
    if (!signedIn || !wanted) return undefined;
    let here = true;
    setProblem(undefined);
    client.school.findSchoolByCode({ code }).then(
      (school) => here && setFound(school),
      (error: unknown) => {
        if (!here) return;
        setProblem(error);
        setWanted(false);
      },
    );
    return () => {
      here = false;
    };
  }, [signedIn, wanted, code]);

  function submitCode(event: FormEvent) {
    event.preventDefault();
    if (isWhole(code)) setWanted(true);
    else setProblem('short');
  }

  const problemWords =
    problem === undefined
      ? undefined
      : problem === 'short'
        ? t('join.codeShort')
        : hasCode(problem, 'NOT_FOUND', 'VALIDATION')
          ? t('join.codeWrong')
          : errorWords(problem, t);

  return (
    <Door title={t('join.title')}>
      {signedIn && requests.length > 0 && (
        <ul className={classes.mine} data-testid="my-requests">
          {requests.map((request) => (
            <Own key={request.id} request={request} onChanged={load} />
          ))}
        </ul>
      )}
      {signedIn && all.length > 0 && (
        <Button component={Link} to="/" variant="light" fullWidth mb="md" data-testid="to-chats">
          {t('common.toChats')}
        </Button>
      )}
      {found !== undefined && signedIn ? (
        <Ask
          code={code}
          school={found}
          onAsked={() => {
            setFound(undefined);
            setWanted(false);
            setCode('');
            load();
          }}
        />
      ) : wanted && !signedIn ? (
        <>
          <Text c="dimmed" mb="md">
            {t('join.signIn', { code: shownJoinCode(code) })}{' '}
            <Anchor component="button" type="button" onClick={() => setWanted(false)}>
              {t('join.otherCode')}
            </Anchor>
          </Text>
          <PhoneSignIn joinCode={code} />
        </>
      ) : (
        <form onSubmit={submitCode} noValidate>
          <Stack>
            <Text c="dimmed">{t('join.lead')}</Text>
            <TextInput
              size="lg"
              label={t('join.code')}
              value={code.length > 4 ? shownJoinCode(code) : code}
              placeholder="K7QM-3XPA"
              autoComplete="off"
              autoCapitalize="characters"
              onChange={(event) => {
                setCode(typedJoinCode(event.currentTarget.value).slice(0, joiningLimits.codeLength));
                setProblem(undefined);
              }}
              error={problemWords}
              autoFocus
              data-testid="join-code-input"
            />
            <Button type="submit" size="lg" data-testid="join-next">
              {t('join.next')}
            </Button>
          </Stack>
        </form>
      )}
    </Door>
  );
}

function Own({ request, onChanged }: { request: OwnJoinRequest; onChanged: () => void }) {
  const { t } = useTranslation();
  const [problem, setProblem] = useState<unknown>();
  const colors = { open: 'brass', approved: 'board', declined: 'red', withdrawn: 'gray', expired: 'gray' };
  return (
    <li className={classes.request} data-testid="my-request" data-state={request.state}>
      <div className={classes.name}>{request.schoolName}</div>
      <div className={classes.quiet}>
        {[request.fullName, roleWord(request.role, request.vocabulary, t), request.groupWords]
          .filter((part) => part !== null)
          .join(' · ')}
      </div>
      <div>
        <Badge color={colors[request.state]} variant="light" tt="none" size="lg">
          {t(`join.state.${request.state}`)}
        </Badge>
      </div>
      <p className={classes.quiet}>
        {request.state === 'open'
          ? t('join.openText', { when: longDate(request.expiresAt) })
          : t(`join.text.${request.state}`)}
      </p>
      {request.reason !== null && <p className={classes.message}>{request.reason}</p>}
      {request.mayAskAgainAt !== null && (
        <p className={classes.quiet}>{t('join.again', { when: momentWithin(request.mayAskAgainAt, t) })}</p>
      )}
      {problem !== undefined && (
        <Alert color="red" role="alert">
          {errorWords(problem, t)}
        </Alert>
      )}
      {request.state === 'open' && (
        <div>
          <Button
            size="xs"
            variant="subtle"
            color="red"
            onClick={() =>
              void client.school.withdrawJoinRequest({ requestId: request.id }).then(onChanged, setProblem)
            }
          >
            {t('join.withdraw')}
          </Button>
        </div>
      )}
    </li>
  );
}

function Ask({ code, school, onAsked }: { code: string; school: Found; onAsked: () => void }) {
  const { t } = useTranslation();
  const [role, setRole] = useState<InvitableRole>('pupil');
  const [fullName, setFullName] = useState('');
  const [groupWords, setGroupWords] = useState('');
  const [childWords, setChildWords] = useState('');
  const [message, setMessage] = useState('');
  const [short, setShort] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const ofClass = role === 'pupil' || role === 'guardian';

  async function ask(event: FormEvent) {
    event.preventDefault();
    const name = plainLine(fullName);
    if (name.split(' ').length < 2) {
      setShort(true);
      return;
    }
    setBusy(true);
    setProblem(undefined);
    const typed = {
      groupWords: ofClass ? plainLine(groupWords) : '',
      childWords: role === 'guardian' ? plainLine(childWords) : '',
      message: plainParagraph(message),
    };
    try {
      await client.school.submitJoinRequest({
        code,
        role,
        fullName: name,
        ...Object.fromEntries(Object.entries(typed).filter(([, words]) => words !== '')),
      });
      onAsked();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  }

  return (
    <form onSubmit={ask} noValidate>
      <Stack>
        <div className={classes.name} data-testid="found-school">
          {school.schoolName}
        </div>
        <NativeSelect
          size="lg"
          label={t('invite.role')}
          value={role}
          onChange={(event) => setRole(event.currentTarget.value as InvitableRole)}
          data={roles.map((value) => ({ value, label: roleWord(value, school.vocabulary, t) }))}
          data-testid="join-role"
        />
        <TextInput
          size="lg"
          label={t('invite.fullName')}
          description={t('invite.fullNameHint')}
          autoComplete="name"
          autoCapitalize="words"
          maxLength={schoolLimits.nameLength}
          value={fullName}
          onChange={(event) => {
            setFullName(event.currentTarget.value);
            setShort(false);
          }}
          error={short ? t('invite.fullNameShort') : undefined}
          data-testid="join-name"
        />
        {role === 'guardian' && (
          <TextInput
            size="lg"
            label={t('join.child')}
            maxLength={joiningLimits.wordsLength}
            value={childWords}
            onChange={(event) => setChildWords(event.currentTarget.value)}
          />
        )}
        {ofClass && (
          <TextInput
            size="lg"
            label={t(`words.${school.vocabulary}.group`)}
            placeholder={t(`words.${school.vocabulary}.groupExample`)}
            maxLength={joiningLimits.wordsLength}
            value={groupWords}
            onChange={(event) => setGroupWords(event.currentTarget.value)}
            data-testid="join-group"
          />
        )}
        <Textarea
          label={t('join.message')}
          autosize
          minRows={2}
          maxRows={6}
          maxLength={joiningLimits.messageLength}
          value={message}
          onChange={(event) => setMessage(event.currentTarget.value)}
        />
        {problem !== undefined && (
          <Alert color="red" role="alert">
            {hasCode(problem, 'CONFLICT') ? t('join.openAlready') : errorWords(problem, t)}
          </Alert>
        )}
        <Button type="submit" size="lg" loading={busy} data-testid="join-submit">
          {t('join.submit')}
        </Button>
      </Stack>
    </form>
  );
}
