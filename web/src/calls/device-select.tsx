import { NativeSelect } from '@mantine/core';
import type { MediaDevice } from '@zvonok/client-sdk';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** The usual device, or one by its name. */
export function DeviceSelect({
  label,
  icon,
  devices,
  value,
  onChange,
}: {
  label: string;
  icon: ReactNode;
  devices: readonly MediaDevice[];
  value: string | null | undefined;
  onChange: (deviceId: string) => void;
}) {
  const { t } = useTranslation();
  const known = devices.filter(
    (device) => device.deviceId !== 'default' && device.deviceId !== 'communications',
  );
  const none = devices.length === 0;
  return (
    <NativeSelect
      label={label}
      leftSection={icon}
      disabled={none}
      value={known.some((device) => device.deviceId === value) ? (value ?? '') : ''}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={[
        { value: '', label: t(none ? 'lesson.noDevices' : 'lesson.defaultDevice') },
        ...known.map((device, index) => ({
          value: device.deviceId,
          label: device.label === '' ? `${label} ${index + 1}` : device.label,
        })),
      ]}
    />
  );
}
