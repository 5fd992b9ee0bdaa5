import { Alert, Button } from '@mantine/core';
import { IconMicrophone, IconMicrophoneOff, IconVideo, IconVideoOff, IconVolume } from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { DeviceSelect } from './device-select.tsx';
import classes from './pre-join.module.css';
import {
  type DeviceChoice,
  keepChoice,
  keptChoice,
  type PreviewError,
  useDevices,
  usePreview,
  useTrackLevel,
} from './preview.ts';

const errorKeys = {
  denied: 'lesson.denied',
  notFound: 'lesson.deviceMissing',
  busy: 'lesson.deviceBusy',
  forbidden: 'lesson.deviceFailed',
  failed: 'lesson.deviceFailed',
  insecure: 'lesson.insecure',
} as const satisfies Record<PreviewError, string>;

interface PreJoinProps {
  readonly title: string;
  /** The word on the button: start or join. */
  readonly action: string;
  readonly busy: boolean;
  /** Who leads or talks in two begins with the microphone on; a class does not. */
  readonly speaks: boolean;
  /** What went wrong with joining, in words. */
  readonly problem: ReactNode;
  readonly onJoin: (choice: DeviceChoice) => void;
  readonly onBack: () => void;
}

/** The mirror before the door: what the others will see and hear. */
export function PreJoin({ title, action, busy, speaks, problem, onJoin, onBack }: PreJoinProps) {
  const { t } = useTranslation();
  const [kept] = useState(keptChoice);
  const microphone = usePreview('microphone', kept.microphone ?? speaks, kept.microphoneId);
  const camera = usePreview('camera', kept.camera ?? true, kept.cameraId);
  const [speakerId, setSpeakerId] = useState(kept.speakerId);
  const devices = useDevices(`${microphone.state}${camera.state}`);
  const error = camera.error ?? microphone.error;
  const asking = microphone.state === 'starting' || camera.state === 'starting';

  function join(withDevices: boolean) {
    const choice: DeviceChoice = {
      microphone: withDevices && microphone.on,
      camera: withDevices && camera.on,
      ...(microphone.deviceId === undefined ? {} : { microphoneId: microphone.deviceId }),
      ...(camera.deviceId === undefined ? {} : { cameraId: camera.deviceId }),
      ...(speakerId === undefined || speakerId === '' ? {} : { speakerId }),
    };
    if (withDevices && error === null) keepChoice(choice);
    onJoin(choice);
  }

  return (
    <div className={classes.page}>
      <main className={classes.frame}>
        <div className={classes.mirror}>
          <Mirror track={camera.track} />
          {camera.track === null && (
            <div className={classes.dark}>
              <IconVideoOff size={40} stroke={1.5} aria-hidden />
              <span>{t(asking ? 'lesson.checking' : 'lesson.cameraOffPreview')}</span>
            </div>
          )}
          <div className={classes.switches}>
            <Switch
              on={microphone.on}
              label={t(microphone.on ? 'lesson.microphoneOff' : 'lesson.microphoneOn')}
              icons={[<IconMicrophone key="on" size={24} />, <IconMicrophoneOff key="off" size={24} />]}
              onClick={() => microphone.set(!microphone.on)}
              testId="pre-microphone"
            />
            <Switch
              on={camera.on}
              label={t(camera.on ? 'lesson.cameraOff' : 'lesson.cameraOn')}
              icons={[<IconVideo key="on" size={24} />, <IconVideoOff key="off" size={24} />]}
              onClick={() => camera.set(!camera.on)}
              testId="pre-camera"
            />
          </div>
        </div>
        <div className={classes.side}>
          <p className={classes.place}>{title}</p>
          <h1 className={classes.title}>{t('lesson.preTitle')}</h1>
          {error !== null && (
            <Alert color="brass" role="alert">
              {t(errorKeys[error])}
              <Button
                size="xs"
                variant="default"
                mt="sm"
                display="block"
                onClick={() => {
                  camera.set(true);
                  if (speaks) microphone.set(true);
                }}
              >
                {t('common.retry')}
              </Button>
            </Alert>
          )}
          {(error === null || microphone.on || camera.on) && (
            <>
              <DeviceSelect
                label={t('lesson.microphone')}
                icon={<IconMicrophone size={18} aria-hidden />}
                devices={devices.microphones}
                value={microphone.deviceId}
                onChange={microphone.use}
              />
              <Meter track={microphone.track} />
              <DeviceSelect
                label={t('lesson.camera')}
                icon={<IconVideo size={18} aria-hidden />}
                devices={devices.cameras}
                value={camera.deviceId}
                onChange={camera.use}
              />
              {devices.speakers.length > 0 && (
                <DeviceSelect
                  label={t('lesson.speaker')}
                  icon={<IconVolume size={18} aria-hidden />}
                  devices={devices.speakers}
                  value={speakerId}
                  onChange={setSpeakerId}
                />
              )}
            </>
          )}
          {problem}
          <Button size="lg" fullWidth loading={busy} onClick={() => join(true)} data-testid="join">
            {error !== null && !microphone.on && !camera.on ? t('lesson.joinWithout') : action}
          </Button>
          <Button variant="subtle" color="gray" onClick={onBack}>
            {t('common.back')}
          </Button>
        </div>
      </main>
    </div>
  );
}

function Mirror({ track }: { track: MediaStreamTrack | null }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = track === null ? null : new MediaStream([track]);
  }, [track]);
  return <video ref={video} className={classes.video} autoPlay playsInline muted aria-hidden />;
}

function Switch({
  on,
  label,
  icons,
  onClick,
  testId,
}: {
  on: boolean;
  label: string;
  icons: readonly [ReactNode, ReactNode];
  onClick: () => void;
  testId: string;
}) {
  return (
    <button
      type="button"
      className={classes.switch}
      aria-label={label}
      title={label}
      data-on={on}
      onClick={onClick}
      data-testid={testId}
    >
      {on ? icons[0] : icons[1]}
    </button>
  );
}

const bars = 24;

function Meter({ track }: { track: MediaStreamTrack | null }) {
  const { t } = useTranslation();
  const level = useTrackLevel(track);
  const lit = Math.round(level * bars);
  return (
    // biome-ignore lint/a11y/useSemanticElements: <meter> can't be drawn as bars in every browser
    <div
      className={classes.meter}
      role="meter"
      aria-label={t('lesson.microphoneLevel')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(level * 100)}
    >
      {Array.from({ length: bars }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
        <span key={index} data-lit={index < lit || undefined} />
      ))}
    </div>
  );
}
