import { ActionIcon, Button, Menu } from '@mantine/core';
import {
  IconDotsVertical,
  IconHandOff,
  IconHandStop,
  IconMicrophone,
  IconMicrophoneOff,
  IconPin,
  IconScreenShare,
  IconUserMinus,
  IconVideo,
  IconVideoOff,
} from '@tabler/icons-react';
import type { MembershipId } from '@zvonok/client-sdk';
import type { Lesson, LessonParticipant, LessonSnapshot } from '@zvonok/client-sdk/lesson.ts';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Avatar } from '../platform/avatar.tsx';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { VerifiedBadge } from '../platform/verified-badge.tsx';
import { byName, errorWords, roleWord } from '../platform/words.ts';
import classes from './people-panel.module.css';

interface Removed {
  readonly membershipId: MembershipId;
  readonly fullName: string;
}

/** Whom this host has removed while the page is open, by lesson: they can be let back in. */
const removedBy = new WeakMap<Lesson, Removed[]>();

export function PeoplePanel({
  lesson,
  snapshot,
  pinned,
  onPin,
}: {
  lesson: Lesson;
  snapshot: LessonSnapshot;
  pinned: string | undefined;
  onPin: (key: string) => void;
}) {
  const { t } = useTranslation();
  const membership = useMembership();
  const { self, participants } = snapshot;
  const [removing, setRemoving] = useState<LessonParticipant>();
  const [removed, setRemovedState] = useState<readonly Removed[]>(() => removedBy.get(lesson) ?? []);

  function setRemoved(next: readonly Removed[]) {
    removedBy.set(lesson, [...next]);
    setRemovedState(next);
  }

  function run(action: Promise<void>, done?: string) {
    action.then(
      () => done !== undefined && tell(done),
      (error: unknown) => tellError(errorWords(error, t)),
    );
  }

  // Raised hands first, the earliest on top; then hosts; then by name.
  const ordered = [...participants].sort(
    (a, b) =>
      (a.handRaisedAt ?? '~').localeCompare(b.handRaisedAt ?? '~') ||
      Number(b.host) - Number(a.host) ||
      byName(a, b),
  );
  const anyHand = participants.some((person) => person.handRaisedAt !== null);
  const away = removed.filter(
    (person) => !participants.some((each) => each.membershipId === person.membershipId),
  );

  return (
    <div className={classes.panel}>
      {self.host && (
        <div className={classes.all}>
          <Button
            size="sm"
            variant="light"
            leftSection={<IconMicrophoneOff size={18} aria-hidden />}
            onClick={() => run(lesson.setAllAllowed('microphone', false), t('lesson.mutedAllDone'))}
            data-testid="mute-all"
          >
            {t('lesson.muteAll')}
          </Button>
          <Button
            size="sm"
            variant="default"
            leftSection={<IconMicrophone size={18} aria-hidden />}
            onClick={() => run(lesson.setAllAllowed('microphone', true), t('lesson.allowedAllDone'))}
            data-testid="allow-all"
          >
            {t('lesson.allowAll')}
          </Button>
          {anyHand && (
            <Button
              size="sm"
              variant="default"
              leftSection={<IconHandOff size={18} aria-hidden />}
              onClick={() => run(lesson.lowerHand(null))}
            >
              {t('lesson.lowerAll')}
            </Button>
          )}
        </div>
      )}
      <ul className={classes.list} data-testid="lesson-people">
        <li className={classes.person}>
          <Avatar name={self.fullName === '' ? membership.fullName : self.fullName} size={40} />
          <span className={classes.words}>
            <span className={classes.name}>
              <span>
                {t('lesson.youLabel', { name: self.fullName === '' ? membership.fullName : self.fullName })}
              </span>
              {membership.verified && <VerifiedBadge />}
            </span>
            <span className={classes.role}>
              {self.host ? t('lesson.host') : roleWord(membership.role, membership.vocabulary, t)}
            </span>
          </span>
          {self.handRaisedAt !== null && <Hand />}
        </li>
        {ordered.map((person) => (
          <li
            key={person.membershipId}
            className={classes.person}
            data-testid="lesson-person"
            data-name={person.fullName}
          >
            <Avatar name={person.fullName} size={40} />
            <span className={classes.words}>
              <span className={classes.name}>
                <span>{person.fullName}</span>
                {person.verified && <VerifiedBadge />}
              </span>
              <span className={classes.role}>
                {person.host ? t('lesson.host') : roleWord(person.role, membership.vocabulary, t)}
              </span>
            </span>
            {person.handRaisedAt !== null && <Hand />}
            {self.host && !person.host ? (
              <HostTools
                lesson={lesson}
                person={person}
                pinned={pinned}
                run={run}
                onPin={onPin}
                onRemove={() => setRemoving(person)}
              />
            ) : (
              <span className={classes.marks} aria-hidden>
                {person.microphone.on ? <IconMicrophone size={20} /> : <IconMicrophoneOff size={20} />}
                {person.camera.on ? <IconVideo size={20} /> : <IconVideoOff size={20} />}
              </span>
            )}
          </li>
        ))}
      </ul>
      {self.host && away.length > 0 && (
        <ul className={classes.list}>
          {away.map((person) => (
            <li key={person.membershipId} className={classes.person} data-away>
              <Avatar name={person.fullName} size={40} />
              <span className={classes.words}>
                <span className={classes.name}>
                  <span>{person.fullName}</span>
                </span>
              </span>
              <Button
                size="xs"
                variant="light"
                onClick={() =>
                  run(
                    lesson
                      .readmit(person.membershipId)
                      .then(() => setRemoved(removed.filter((each) => each !== person))),
                  )
                }
              >
                {t('lesson.readmit')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Confirm
        opened={removing !== undefined}
        title={t('lesson.removeTitle')}
        confirm={t('lesson.removeConfirm')}
        danger
        onClose={() => setRemoving(undefined)}
        onConfirm={async () => {
          if (removing === undefined) return;
          const { membershipId, fullName } = removing;
          await lesson.remove(membershipId);
          setRemoved([
            ...removed.filter((each) => each.membershipId !== membershipId),
            { membershipId, fullName },
          ]);
          tell(t('lesson.removedDone', { name: fullName }));
        }}
      >
        {t('lesson.removeText', { name: removing?.fullName ?? '' })}
      </Confirm>
    </div>
  );
}

function Hand() {
  const { t } = useTranslation();
  return (
    <span className={classes.hand} role="img" aria-label={t('lesson.handRaised')}>
      <IconHandStop size={18} />
    </span>
  );
}

function HostTools({
  lesson,
  person,
  pinned,
  run,
  onPin,
  onRemove,
}: {
  lesson: Lesson;
  person: LessonParticipant;
  pinned: string | undefined;
  run: (action: Promise<void>, done?: string) => void;
  onPin: (key: string) => void;
  onRemove: () => void;
}) {
  const { t } = useTranslation();
  const { membershipId: id, fullName: name, allowed } = person;
  const key = `${id}/camera`;
  const microphone = t(allowed.microphone ? 'lesson.mute' : 'lesson.allowSpeak', { name });
  return (
    <span className={classes.tools}>
      <ActionIcon
        size={40}
        color={allowed.microphone ? 'gray' : 'red'}
        variant={allowed.microphone ? 'subtle' : 'light'}
        aria-label={microphone}
        title={microphone}
        onClick={() => run(lesson.setAllowed(id, 'microphone', !allowed.microphone))}
        data-testid={allowed.microphone ? 'mute' : 'allow-speak'}
      >
        {allowed.microphone && person.microphone.on ? (
          <IconMicrophone size={21} aria-hidden />
        ) : (
          <IconMicrophoneOff size={21} aria-hidden />
        )}
      </ActionIcon>
      <Menu position="bottom-end" width={300} shadow="md">
        <Menu.Target>
          <ActionIcon size={40} aria-label={t('lesson.actionsFor', { name })} data-testid="person-actions">
            <IconDotsVertical size={20} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{name}</Menu.Label>
          <Menu.Item leftSection={<IconPin size={18} aria-hidden />} onClick={() => onPin(key)}>
            {t(pinned === key ? 'lesson.unpin' : 'lesson.pinShort')}
          </Menu.Item>
          {person.handRaisedAt !== null && (
            <Menu.Item
              leftSection={<IconHandOff size={18} aria-hidden />}
              onClick={() => run(lesson.lowerHand(id))}
            >
              {t('lesson.lower')}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={<IconVideoOff size={18} aria-hidden />}
            onClick={() => run(lesson.setAllowed(id, 'camera', !allowed.camera))}
          >
            {t(allowed.camera ? 'lesson.forbidCamera' : 'lesson.allowCamera')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconScreenShare size={18} aria-hidden />}
            onClick={() => run(lesson.setAllowed(id, 'screen', !allowed.screen))}
          >
            {t(allowed.screen ? 'lesson.forbidScreen' : 'lesson.allowScreen')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            color="red"
            leftSection={<IconUserMinus size={18} aria-hidden />}
            onClick={onRemove}
            data-testid="remove"
          >
            {t('lesson.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </span>
  );
}
