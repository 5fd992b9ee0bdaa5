import { Menu, UnstyledButton } from '@mantine/core';
import { IconBuildingCommunity, IconCheck, IconChevronDown } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { Avatar } from './avatar.tsx';
import { useSession } from './client.ts';
import { useActing, useMembership } from './membership.tsx';
import classes from './shell.module.css';
import { membershipWords } from './words.ts';

/** Lets a person with several memberships, or an operator, choose as whom they act. Few are: it comes when it is needed. */
export function MembershipSwitch({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { all, choose } = useActing();
  const membership = useMembership();
  const session = useSession();
  return (
    <Menu width={320} position="bottom-start" radius="md" shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes.switch} data-testid="membership-switch">
          {children}
          <IconChevronDown size={18} className={classes.chevron} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('nav.memberships')}</Menu.Label>
        {all.map((other) => (
          <Menu.Item
            key={other.id}
            leftSection={<Avatar name={other.fullName} size={34} />}
            rightSection={other.id === membership.id ? <IconCheck size={16} aria-hidden /> : undefined}
            aria-current={other.id === membership.id}
            onClick={() => {
              choose(other.id);
              navigate('/');
            }}
          >
            <div className={classes.optionName}>{membershipWords(other, t)}</div>
            <div className={classes.optionSchool}>{other.schoolName}</div>
          </Menu.Item>
        ))}
        {session.state === 'signedIn' && session.operator && (
          <>
            <Menu.Divider />
            <Menu.Item
              leftSection={
                <span className={classes.optionIcon} aria-hidden>
                  <IconBuildingCommunity size={22} stroke={1.7} />
                </span>
              }
              onClick={() => navigate('/operator')}
              data-testid="to-operator"
            >
              {t('operator.title')}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
