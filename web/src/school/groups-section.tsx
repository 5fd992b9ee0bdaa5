import { Button, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type MyMembership, type Group as SchoolGroup, schoolLimits } from '@zvonok/client-sdk';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client } from '../platform/client.ts';
import { Section } from '../platform/page.tsx';
import { tell } from '../platform/tell.ts';
import { errorWords } from '../platform/words.ts';
import classes from './invites.module.css';

/** The classes of the school, and a form for a new one. */
export function GroupsSection({
  membership,
  groups,
  onMade,
}: {
  membership: MyMembership;
  groups: readonly SchoolGroup[];
  onMade: (group: SchoolGroup) => void;
}) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const words = `words.${membership.vocabulary}` as const;

  async function create(event: FormEvent) {
    event.preventDefault();
    const trimmed = name.trim();
    if (trimmed === '') return;
    setBusy(true);
    setProblem(undefined);
    try {
      const { group } = await client.school.createGroup({ as: membership.id, name: trimmed });
      onMade(group);
      setName('');
      tell(t('invites.groupCreated', { name: group.name }));
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  }

  const classGroups = groups
    .filter((group) => group.kind === 'class')
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (
    <Section title={t('invites.groups')}>
      {classGroups.length > 0 && (
        <ul className={classes.groups} data-testid="groups">
          {classGroups.map((group) => (
            <li key={group.id}>{group.name}</li>
          ))}
        </ul>
      )}
      <form onSubmit={create} className={classes.groupForm}>
        <TextInput
          label={t(`${words}.groupNew`)}
          placeholder={t(`${words}.groupExample`)}
          maxLength={schoolLimits.groupNameLength}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
            setProblem(undefined);
          }}
          error={problem === undefined ? undefined : errorWords(problem, t)}
          className={classes.groupName ?? ''}
          data-testid="group-name"
        />
        <Button
          type="submit"
          variant="light"
          loading={busy}
          disabled={name.trim() === ''}
          leftSection={<IconPlus size={20} aria-hidden />}
          data-testid="create-group"
        >
          {t('invites.groupAdd')}
        </Button>
      </form>
    </Section>
  );
}
