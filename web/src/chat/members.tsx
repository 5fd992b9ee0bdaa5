import { ActionIcon, Drawer, Skeleton, TextInput } from '@mantine/core';
import { IconMessage2, IconSearch } from '@tabler/icons-react';
import type {
  ConversationItem,
  ConversationMember,
  ConversationView,
  MembershipId,
} from '@zvonok/client-sdk';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { Avatar } from '../platform/avatar.tsx';
import { useSource } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership, useMessenger } from '../platform/membership.tsx';
import { tellError } from '../platform/tell.ts';
import { VerifiedBadge } from '../platform/verified-badge.tsx';
import { byName, errorWords, matches, roleWord } from '../platform/words.ts';
import classes from './members.module.css';

/** With fewer people a search field is only in the way. */
const searchFrom = 9;

const order = ['admin', 'head', 'teacher', 'guardian', 'pupil'] as const;

export function Members({
  view,
  conversation,
  onClose,
}: {
  view: ConversationView;
  conversation: ConversationItem;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const { members } = useSource(view);
  const membership = useMembership();
  const messenger = useMessenger();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const [opening, setOpening] = useState<MembershipId>();

  const load = () => {
    setProblem(undefined);
    view.loadMembers().catch(setProblem);
  };
  useEffect(load, [view]);

  async function write(member: ConversationMember) {
    setOpening(member.membershipId);
    try {
      const direct = await messenger.openDirect(member.membershipId);
      onClose();
      navigate(`/c/${direct.conversationId}`);
    } catch (error) {
      tellError(errorWords(error, t));
    } finally {
      setOpening(undefined);
    }
  }

  const shown = [...(members ?? [])]
    .filter((member) => typed.trim() === '' || matches(member.fullName, typed))
    .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role) || byName(a, b));
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={400}
      padding="md"
      title={`${t('chat.membersTitle')} · ${members?.length ?? conversation.memberCount}`}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {(members?.length ?? 0) >= searchFrom && (
        <TextInput
          mb="sm"
          radius="xl"
          variant="filled"
          aria-label={t('chat.searchMembers')}
          placeholder={t('chat.searchMembers')}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      {problem !== undefined && members === undefined && (
        <LoadFailed words={errorWords(problem, t)} onRetry={load} />
      )}
      {members === undefined && problem === undefined && (
        <div role="status" aria-busy aria-label={t('common.loading')}>
          {[1, 2, 3, 4, 5].map((row) => (
            <Skeleton key={row} height={48} mb={10} />
          ))}
        </div>
      )}
      <ul className={classes.list} data-testid="members">
        {shown.map((member) => {
          const own = member.membershipId === membership.id;
          const writable = !own && conversation.kind !== 'direct' && mayWrite(membership.role, member.role);
          return (
            <li key={member.membershipId} className={classes.member}>
              <Avatar name={member.fullName} size={42} online={member.online} />
              <span className={classes.names}>
                <span className={classes.name}>
                  <span>{own ? `${member.fullName} (${t('common.you')})` : member.fullName}</span>
                  {member.verified && <VerifiedBadge />}
                </span>
                <span className={classes.role}>
                  {roleWord(member.role, membership.vocabulary, t)}
                  {member.reader && ` · ${t('chat.readerMark')}`}
                  {` · ${t(member.online ? 'common.online' : 'common.offline')}`}
                </span>
              </span>
              {writable && (
                <ActionIcon
                  title={t('chat.writeTo', { name: member.fullName })}
                  aria-label={t('chat.writeTo', { name: member.fullName })}
                  loading={opening === member.membershipId}
                  onClick={() => void write(member)}
                >
                  <IconMessage2 size={22} stroke={1.8} aria-hidden />
                </ActionIcon>
              )}
            </li>
          );
        })}
      </ul>
    </Drawer>
  );
}

/** Where the contact policy can never say yes no button is shown; the server decides the rest. */
function mayWrite(own: ConversationMember['role'], other: ConversationMember['role']): boolean {
  const young = (role: ConversationMember['role']) => role === 'pupil' || role === 'guardian';
  return !(young(own) && young(other));
}
