import { Button, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import {
  type Group,
  type Member,
  type MemberCard,
  type MembershipId,
  schoolLimits,
} from '@zvonok/client-sdk';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Confirm } from '../platform/confirm.tsx';
import { useMembership } from '../platform/membership.tsx';
import { tell, tellError } from '../platform/tell.ts';
import { errorWords, phoneWords } from '../platform/words.ts';
import { groupNameOf } from './member-words.ts';
import classes from './people.module.css';

const typingMs = 250;
const shownAtOnce = 30;
/** What a name can't hold: the server would not search for it. */
const notInNames = /[^\p{L}\p{M}\p{N} .'’()+-]/gu;

type Relative = MemberCard['guardians'][number];

/** Links a guardian to a child, beginning from either. */
export function LinkGuardian({
  of,
  groups,
  onClose,
  onDone,
}: {
  of: Pick<Member, 'membershipId' | 'fullName' | 'role'>;
  groups: readonly Group[];
  onClose: () => void;
  onDone: () => void;
}) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const fromChild = of.role === 'pupil';
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.replaceAll(notInNames, '').trim(), typingMs);
  const [found, setFound] = useState<readonly Member[]>();
  const [chosen, setChosen] = useState<Member>();
  const [missing, setMissing] = useState(false);

  useEffect(() => {
    let here = true;
    // The name that was chosen stands in the field: it is no question.
    if (search === chosen?.fullName) return undefined;
    client.school
      .listMembers({
        as,
        role: fromChild ? 'guardian' : 'pupil',
        limit: shownAtOnce,
        ...(search === '' ? {} : { search: search.slice(0, schoolLimits.searchLength) }),
      })
      .then(
        ({ members }) => here && setFound(members),
        (error: unknown) => tellError(errorWords(error, t)),
      );
    return () => {
      here = false;
    };
  }, [as, fromChild, search, chosen, t]);

  const labelOf = ({ fullName, groupId }: Member) =>
    [fullName, groupNameOf(groups, groupId)].filter((part) => part !== undefined).join(' · ');
  const listed =
    chosen === undefined || found?.some(({ membershipId }) => membershipId === chosen.membershipId)
      ? (found ?? [])
      : [chosen, ...(found ?? [])];

  async function link() {
    if (chosen === undefined) return;
    const pair: { guardianId: MembershipId; childId: MembershipId } = fromChild
      ? { guardianId: chosen.membershipId, childId: of.membershipId }
      : { guardianId: of.membershipId, childId: chosen.membershipId };
    await client.school.linkGuardian({ as, ...pair });
    tell(t('people.linked'));
    onDone();
  }

  return (
    <Confirm
      opened
      title={t(fromChild ? 'people.linkGuardianTitle' : 'people.linkChildTitle', { name: of.fullName })}
      confirm={t('people.link')}
      isReady={() => {
        setMissing(chosen === undefined);
        return chosen !== undefined;
      }}
      onClose={onClose}
      onConfirm={link}
    >
      <p className={classes.why}>{t('people.linkText')}</p>
      <Select
        label={t(fromChild ? 'people.whichGuardian' : 'people.whichChild')}
        placeholder={t('people.search')}
        nothingFoundMessage={found === undefined ? t('common.loading') : t('people.linkNobody')}
        searchable
        // The server has looked.
        filter={({ options }) => options}
        data={listed.map((each) => ({ value: each.membershipId, label: labelOf(each) }))}
        value={chosen?.membershipId ?? null}
        onChange={(value) => {
          setChosen(listed.find(({ membershipId }) => membershipId === value));
          setMissing(false);
        }}
        onSearchChange={setTyped}
        error={missing ? t('people.linkChoose') : undefined}
        styles={{ label: { color: 'var(--mantine-color-text)' } }}
        data-testid="link-person"
      />
    </Confirm>
  );
}

/** A child's guardians, or a guardian's children, each with the way to their card and, where one may, out of the link. */
export function Relatives({
  of,
  relatives,
  groups,
  unlinks,
  onOpen,
  onChanged,
}: {
  of: Pick<Member, 'membershipId' | 'fullName' | 'role'>;
  relatives: readonly Relative[];
  groups: readonly Group[];
  unlinks: boolean;
  onOpen: (id: MembershipId) => void;
  onChanged: () => void;
}) {
  const { t } = useTranslation();
  const { id: as } = useMembership();
  const [leaving, setLeaving] = useState<Relative>();
  return (
    <>
      {relatives.map((each) => (
        <li key={each.membershipId} className={classes.relative}>
          <div className={classes.words}>
            <button type="button" className={classes.open} onClick={() => onOpen(each.membershipId)}>
              {each.fullName}
            </button>
            <div className={classes.quiet}>
              {[groupNameOf(groups, each.groupId), each.phone === null ? undefined : phoneWords(each.phone)]
                .filter((part) => part !== undefined)
                .join(' · ')}
            </div>
          </div>
          {unlinks && (
            <Button
              size="xs"
              variant="subtle"
              color="red.7"
              aria-label={t('people.unlinkName', { name: each.fullName })}
              onClick={() => setLeaving(each)}
            >
              {t('people.unlink')}
            </Button>
          )}
        </li>
      ))}
      <Confirm
        opened={leaving !== undefined}
        danger
        title={t('people.unlinkTitle')}
        confirm={t('people.unlink')}
        onClose={() => setLeaving(undefined)}
        onConfirm={async () => {
          if (leaving === undefined) return;
          const [guardianId, childId] =
            of.role === 'guardian'
              ? [of.membershipId, leaving.membershipId]
              : [leaving.membershipId, of.membershipId];
          await client.school.unlinkGuardian({ as, guardianId, childId });
          tell(t('people.unlinked'));
          onChanged();
        }}
      >
        {t('people.unlinkText', { one: of.fullName, other: leaving?.fullName ?? '' })}
      </Confirm>
    </>
  );
}
