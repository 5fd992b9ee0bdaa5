import { Button, Radio, Textarea } from '@mantine/core';
import { type LikelyChild, type MembershipId, type SchoolRequest, schoolLimits } from '@zvonok/client-sdk';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { plainParagraph } from '../desk/plain-text.ts';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { errorWords, SpokenError } from '../platform/words.ts';
import { wishDetails, wishWords } from './request-words.ts';
import classes from './requests.module.css';

const hasLetters = (words: string) => /[\p{L}\p{N}]/u.test(words);

/** The two answers to a request that is open. */
export function DecideRequest({ request, onDone }: { request: SchoolRequest; onDone: () => void }) {
  const { t } = useTranslation();
  const { id: as, vocabulary } = useMembership();
  const [answer, setAnswer] = useState<'approve' | 'decline'>();
  const [typed, setTyped] = useState('');
  const [missing, setMissing] = useState(false);
  const [children, setChildren] = useState<readonly LikelyChild[]>();
  const [childId, setChildId] = useState<string>('');
  const { id: requestId } = request;
  const ofChild = request.what.kind === 'linkOwnChild';

  useEffect(() => {
    if (answer !== 'approve' || !ofChild) return;
    client.school.listLikelyChildren({ as, requestId }).then(
      (found) => setChildren(found.children),
      (error: unknown) => tellError(errorWords(error, t)),
    );
  }, [answer, ofChild, as, requestId, t]);

  const comment = plainParagraph(typed);
  const close = () => {
    setAnswer(undefined);
    setMissing(false);
  };

  async function approve() {
    if (ofChild && childId === '') throw new SpokenError((say) => say('requests.chooseChild'));
    await client.school.approveRequest({
      as,
      requestId,
      ...(ofChild ? { childId: childId as MembershipId } : {}),
      ...(hasLetters(comment) ? { comment } : {}),
    });
    tell(t('requests.approved'));
    onDone();
  }

  async function decline() {
    await client.school.declineRequest({ as, requestId, comment });
    tell(t('requests.declined'));
    onDone();
  }

  return (
    <>
      <Button size="sm" onClick={() => setAnswer('approve')} data-testid="approve">
        {t('requests.approve')}
      </Button>
      <Button size="sm" variant="default" onClick={() => setAnswer('decline')} data-testid="decline">
        {t('requests.decline')}
      </Button>
      <Confirm
        opened={answer !== undefined}
        title={t(answer === 'decline' ? 'requests.declineTitle' : 'requests.approveTitle')}
        confirm={t(answer === 'decline' ? 'requests.decline' : 'requests.approve')}
        danger={answer === 'decline'}
        isReady={() => {
          const ready = answer === 'approve' || hasLetters(comment);
          setMissing(!ready);
          return ready;
        }}
        onConfirm={answer === 'decline' ? decline : approve}
        onClose={close}
      >
        {wishWords(request, vocabulary, t)}
        {wishDetails(request, t).map((detail) => (
          <p key={detail} className={classes.detail}>
            {detail}
          </p>
        ))}
        {answer === 'approve' && ofChild && children !== undefined && (
          <Radio.Group
            mt="md"
            label={t('requests.whichChild')}
            value={childId}
            onChange={setChildId}
            styles={{ label: { color: 'var(--mantine-color-text)' } }}
          >
            <div className={classes.children}>
              {children.length === 0 && t('requests.noChild')}
              {children.map((child) => (
                <Radio
                  key={child.membershipId}
                  value={child.membershipId}
                  label={`${child.fullName} · ${child.groupName}`}
                />
              ))}
            </div>
          </Radio.Group>
        )}
        <Textarea
          mt="md"
          label={t(answer === 'decline' ? 'requests.why' : 'requests.comment')}
          autosize
          minRows={2}
          maxLength={schoolLimits.reasonLength}
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setMissing(false);
          }}
          error={missing ? t('requests.whyMissing') : undefined}
          styles={{ label: { color: 'var(--mantine-color-text)' } }}
          data-testid="comment"
        />
      </Confirm>
    </>
  );
}
