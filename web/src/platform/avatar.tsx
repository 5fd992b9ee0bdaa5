import {
  IconBook2,
  IconBriefcase,
  IconSchool,
  IconSpeakerphone,
  IconUsersGroup,
  type TablerIcon,
} from '@tabler/icons-react';
import type { Conversation, ConversationKind } from '@zvonok/client-sdk';
import type { ReactNode } from 'react';
import classes from './avatar.module.css';

const tones = 8;

/** The same name always has the same tone, on every device. */
function toneOf(name: string): number {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % tones;
}

/** «Иванова Мария Петровна» -> «ИМ». */
export function initials(fullName: string): string {
  return fullName
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word[0] ?? '')
    .join('')
    .toLocaleUpperCase();
}

interface AvatarProps {
  readonly name: string;
  readonly size?: number;
  readonly online?: boolean;
  readonly square?: boolean;
  readonly children?: ReactNode;
}

/** A picture of somebody without pictures: decoration, hidden from screen readers because the name stands beside it. */
export function Avatar({ name, size = 44, online, square, children }: AvatarProps) {
  return (
    <span
      aria-hidden
      className={classes.avatar}
      data-tone={toneOf(name)}
      data-square={square || undefined}
      style={{ width: size, height: size, fontSize: size * 0.38 }}
    >
      {children ?? initials(name)}
      {online === true && <span className={classes.online} />}
    </span>
  );
}

const kindIcons: Partial<Record<ConversationKind, TablerIcon>> = {
  channel: IconSpeakerphone,
  staff: IconBriefcase,
  subject: IconBook2,
  parents: IconUsersGroup,
  classTeachers: IconSchool,
};

export function ConversationAvatar({
  conversation,
  title,
  size = 48,
  online,
}: {
  conversation: Conversation;
  title: string;
  size?: number;
  online?: boolean;
}) {
  if (conversation.kind === 'direct') {
    return <Avatar name={title} size={size} {...(online === undefined ? {} : { online })} />;
  }
  const icon = size * 0.5;
  const Icon = kindIcons[conversation.kind];
  return (
    <Avatar name={title} size={size} square>
      {Icon === undefined ? (
        (shortLabel(title) ?? <IconUsersGroup size={icon} stroke={1.7} />)
      ) : (
        <Icon size={icon} stroke={1.7} />
      )}
    </Avatar>
  );
}

/** «7Б, родители» -> «7Б»; undefined where the title has no short first word. */
function shortLabel(title: string): string | undefined {
  const word = title.split(/[\s,:·]+/)[0] ?? '';
  return word.length > 0 && word.length <= 4 ? word : undefined;
}
