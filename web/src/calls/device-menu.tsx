import { Modal, Stack } from '@mantine/core';
import { IconMicrophone, IconSettings, IconVideo, IconVolume } from '@tabler/icons-react';
import type { Lesson, LessonSnapshot } from '@zvonok/client-sdk/lesson.ts';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { tellError } from '../platform/tell.ts';
import { errorWords } from '../platform/words.ts';
import { DeviceSelect } from './device-select.tsx';
import classes from './live-lesson.module.css';
import { useDevices } from './preview.ts';

/** Changes microphone, camera and speaker during the lesson. */
export function DeviceMenu({ lesson, snapshot }: { lesson: Lesson; snapshot: LessonSnapshot }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const devices = useDevices(opened);
  const choose = (method: 'useMicrophone' | 'useCamera' | 'useSpeaker', deviceId: string) =>
    void lesson[method](deviceId).catch((error: unknown) => tellError(errorWords(error, t)));
  return (
    <>
      <button
        type="button"
        className={classes.headerButton}
        aria-label={t('lesson.devices')}
        title={t('lesson.devices')}
        onClick={() => setOpened(true)}
      >
        <IconSettings size={22} aria-hidden />
      </button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('lesson.devices')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <Stack>
          <DeviceSelect
            label={t('lesson.microphone')}
            icon={<IconMicrophone size={18} aria-hidden />}
            devices={devices.microphones}
            value={snapshot.devices.microphone}
            onChange={(id) => choose('useMicrophone', id)}
          />
          <DeviceSelect
            label={t('lesson.camera')}
            icon={<IconVideo size={18} aria-hidden />}
            devices={devices.cameras}
            value={snapshot.devices.camera}
            onChange={(id) => choose('useCamera', id)}
          />
          {devices.speakers.length > 0 && (
            <DeviceSelect
              label={t('lesson.speaker')}
              icon={<IconVolume size={18} aria-hidden />}
              devices={devices.speakers}
              value={snapshot.devices.speaker}
              onChange={(id) => choose('useSpeaker', id)}
            />
          )}
        </Stack>
      </Modal>
    </>
  );
}
