import { Alert, Badge, Button, Checkbox, Chip, NativeSelect, Skeleton, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import {
  type Group,
  type Member,
  type MemberCounts,
  type MemberFilter,
  type MembershipId,
  mayRequest,
  memberFilters,
  mightDo,
  type Role,
  roles,
} from '@zvonok/client-sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Avatar } from '../platform/avatar.tsx';
import { client } from '../platform/client.ts';
import { LoadFailed } from '../platform/load-failed.tsx';
import { useMembership } from '../platform/membership.tsx';
import { PageFrame, Section } from '../platform/page.tsx';
import { BadgedName } from '../platform/verified-badge.tsx';
import { errorWords } from '../platform/words.ts';
import { MemberCardDrawer } from './member-card.tsx';
import { EndDialog, TransferDialog, VerifyDialog } from './member-dialogs.tsx';
import { isStaffRole, memberLine } from './member-words.ts';
import classes from './people.module.css';

const pageSize = 100;
/** What one answer holds at most; a list that is longer is read on from there. */
const pageMax = 500;
const typingMs = 250;

type View = 'all' | Role | MemberFilter;
const isFilter = (view: View): view is MemberFilter => memberFilters.some((filter) => filter === view);

/** Who is in the school: whoever leads it finds people here, sees who needs looking after, and moves them. */
export function People() {
  const { t } = useTranslation();
  const membership = useMembership();
  const as = membership.id;
  const overview = membership.standings.some((standing) => standing === 'SA' || standing === 'HD');
  const moves = mightDo('moveMembers', membership);
  const mayVerify = mightDo('verifyTeacher', membership);
  const mayAskToVerify = !mayVerify && mayRequest('verifyTeacher', membership);
  const [view, setView] = useState<View>('all');
  const [groupId, setGroupId] = useState('');
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), typingMs);
  const [members, setMembers] = useState<readonly Member[]>();
  const [counts, setCounts] = useState<MemberCounts>();
  const [groups, setGroups] = useState<readonly Group[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [chosen, setChosen] = useState<ReadonlySet<MembershipId>>(new Set());
  const [opened, setOpened] = useState<MembershipId>();
  const [dialog, setDialog] = useState<'transfer' | 'expelled' | 'graduated'>();
  const [verifying, setVerifying] = useState<Member>();
  const shownCount = useRef(0);
  /** The newest question: an answer to an older one is not shown. */
  const asked = useRef(0);

  const load = useCallback(
    async (after?: Member) => {
      asked.current += 1;
      const question = asked.current;
      setProblem(undefined);
      const narrowed = {
        as,
        ...(groupId === '' ? {} : { groupId: groupId as Group['id'] }),
        ...(search === '' ? {} : { search }),
      };
      try {
        const [page, known, counted] = await Promise.all([
          client.school.listMembers({
            ...narrowed,
            limit: after === undefined ? Math.min(pageMax, Math.max(pageSize, shownCount.current)) : pageSize,
            ...(view === 'all' ? {} : isFilter(view) ? { filter: view } : { role: view }),
            ...(after === undefined ? {} : { after: after.membershipId }),
          }),
          client.school.listGroups({ as }),
          overview ? client.school.countMembers(narrowed) : undefined,
        ]);
        if (question !== asked.current) return;
        setGroups(known.groups);
        setCounts(counted?.counts);
        setMembers((shown) => {
          const all = after === undefined ? page.members : [...(shown ?? []), ...page.members];
          shownCount.current = all.length;
          return all;
        });
        setHasMore(page.hasMore);
      } catch (error) {
        if (question === asked.current) setProblem(error);
      }
    },
    [as, view, groupId, search, overview],
  );

  useEffect(() => {
    shownCount.current = 0;
    setChosen(new Set());
    const stop = client.on('school.peopleChanged', ({ membershipId }) => {
      if (membershipId === as) void load();
    });
    void load();
    return stop;
  }, [as, load]);

  const choose = (id: MembershipId, on: boolean) =>
    setChosen((known) => {
      const next = new Set(known);
      if (on) next.add(id);
      else next.delete(id);
      return next;
    });
  const selecting = moves && view === 'pupil';
  const open = groups.filter((group) => group.kind === 'class' && group.archivedAt === null);
  const countOf = (each: View) =>
    counts === undefined
      ? undefined
      : each === 'all'
        ? counts.all
        : isFilter(each)
          ? counts.filters[each]
          : counts.roles[each];
  const views: readonly View[] = [
    'all',
    ...roles,
    ...(overview ? memberFilters.filter((filter) => filter !== 'ended' || moves) : []),
  ];
  const wordsOf = (each: View) =>
    each === 'all'
      ? t('people.everybody')
      : isFilter(each)
        ? t(`people.filters.${each}`)
        : each === 'admin' || each === 'head'
          ? t(`people.roles.${each}`)
          : t(`words.${membership.vocabulary}.${each}s`);
  const picked = (members ?? []).filter((member) => chosen.has(member.membershipId));
  const done = () => {
    setChosen(new Set());
    void load();
  };

  return (
    <PageFrame title={t('people.title')} {...(overview ? { lead: t('people.lead') } : {})}>
      <div className={classes.filters}>
        <TextInput
          aria-label={t('people.search')}
          placeholder={overview ? t('people.searchAlsoPhone') : t('people.search')}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={typed}
          maxLength={60}
          onChange={(event) =>
            setTyped(event.currentTarget.value.replaceAll(/[^\p{L}\p{M}\p{N} .'’()+-]/gu, ''))
          }
          className={classes.search ?? ''}
        />
        <NativeSelect
          aria-label={t(`words.${membership.vocabulary}.group`)}
          value={groupId}
          onChange={(event) => setGroupId(event.currentTarget.value)}
          data={[
            { value: '', label: t(`words.${membership.vocabulary}.allGroups`) },
            ...open.map((group) => ({ value: group.id, label: group.name })),
          ]}
        />
      </div>
      <Chip.Group value={view} onChange={(value) => setView(value as View)}>
        <fieldset className={classes.views} aria-label={t('people.show')}>
          {views.map((each) => {
            const count = countOf(each);
            // What holds nobody is not shown until it does.
            if (count === 0 && each !== view && each !== 'all') return null;
            return (
              <Chip key={each} value={each} size="sm" radius="xl" variant="light">
                {wordsOf(each)}
                {count !== undefined && <span className={classes.count}>{count}</span>}
              </Chip>
            );
          })}
        </fieldset>
      </Chip.Group>
      {problem !== undefined && <LoadFailed words={errorWords(problem, t)} onRetry={() => void load()} />}
      {members === undefined
        ? problem === undefined && (
            <div role="status" aria-busy aria-label={t('common.loading')}>
              <Skeleton height={320} mt={22} radius={20} />
            </div>
          )
        : members.length === 0 && (
            <Alert variant="light" mt={22} title={t('people.empty')}>
              {search !== '' || groupId !== '' || view !== 'all'
                ? t('people.emptyNarrowed')
                : t('people.emptySchool')}
            </Alert>
          )}
      {members !== undefined && members.length > 0 && (
        <Section
          title={wordsOf(view)}
          {...(selecting && chosen.size === 0 ? { lead: t('people.chooseLead') } : {})}
        >
          <ul className={classes.people} data-testid="people">
            {members.map((member) => {
              const staff = isStaffRole(member.role);
              const gone = member.endedAt !== null;
              const unverified = staff && !member.verified && !gone;
              return (
                <li key={member.membershipId} className={classes.person}>
                  {selecting && (
                    <Checkbox
                      aria-label={t('people.choose', { name: member.fullName })}
                      checked={chosen.has(member.membershipId)}
                      onChange={(event) => choose(member.membershipId, event.currentTarget.checked)}
                    />
                  )}
                  <Avatar name={member.fullName} size={44} />
                  <div className={classes.words}>
                    <div className={classes.name}>
                      {overview ? (
                        <button
                          type="button"
                          className={classes.open}
                          onClick={() => setOpened(member.membershipId)}
                        >
                          <BadgedName name={member.fullName} verified={member.verified} />
                        </button>
                      ) : (
                        <BadgedName name={member.fullName} verified={member.verified} />
                      )}{' '}
                      {member.imitates !== null && (
                        <Badge color="red" variant="light" tt="none" title={t('people.imitatesWhy')}>
                          {t('people.imitates', {
                            name:
                              members.find((each) => each.membershipId === member.imitates)?.fullName ??
                              t('requests.somebody'),
                          })}
                        </Badge>
                      )}
                      {unverified && (
                        <Badge color="brass" variant="light" tt="none">
                          {t('roles.unverified')}
                        </Badge>
                      )}
                      {gone && member.endReason !== null && (
                        <Badge color="gray" variant="light" tt="none">
                          {t(`people.reasons.${member.endReason}`)}
                        </Badge>
                      )}
                    </div>
                    <div className={classes.quiet}>
                      {memberLine(member, groups, membership.vocabulary, t)}
                    </div>
                  </div>
                  {unverified && (mayVerify || mayAskToVerify) && member.membershipId !== as && (
                    <Button
                      size="xs"
                      variant="light"
                      aria-label={t(mayVerify ? 'people.verifyName' : 'people.askVerifyName', {
                        name: member.fullName,
                      })}
                      onClick={() => setVerifying(member)}
                    >
                      {t(mayVerify ? 'people.verify' : 'people.askVerify')}
                    </Button>
                  )}
                </li>
              );
            })}
          </ul>
          {hasMore && (
            <Button variant="light" mt="md" fullWidth onClick={() => void load(members.at(-1))}>
              {t('people.more')}
            </Button>
          )}
        </Section>
      )}
      {selecting && chosen.size > 0 && (
        <div className={classes.bar} role="toolbar" aria-label={t('people.chosen', { count: chosen.size })}>
          <strong>{t('people.chosen', { count: chosen.size })}</strong>
          <Button size="sm" onClick={() => setDialog('transfer')}>
            {t('people.transfer')}
          </Button>
          <Button size="sm" variant="default" onClick={() => setDialog('graduated')}>
            {t('people.graduate')}
          </Button>
          <Button size="sm" variant="default" c="red.7" onClick={() => setDialog('expelled')}>
            {t('people.expel')}
          </Button>
          <Button size="sm" variant="subtle" onClick={() => setChosen(new Set())}>
            {t('common.cancel')}
          </Button>
        </div>
      )}
      <MemberCardDrawer
        id={opened}
        groups={groups}
        onOpen={setOpened}
        onClose={() => setOpened(undefined)}
        onChanged={() => void load()}
      />
      <VerifyDialog member={verifying} onClose={() => setVerifying(undefined)} onDone={() => void load()} />
      <TransferDialog
        members={dialog === 'transfer' ? picked : []}
        groups={open}
        onClose={() => setDialog(undefined)}
        onDone={done}
      />
      <EndDialog
        members={dialog === 'expelled' || dialog === 'graduated' ? picked : []}
        reason={dialog === 'graduated' ? 'graduated' : 'expelled'}
        onClose={() => setDialog(undefined)}
        onDone={done}
      />
    </PageFrame>
  );
}
