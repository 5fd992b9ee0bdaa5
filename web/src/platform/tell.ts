import { notifications } from '@mantine/notifications';

/** Says briefly that something was done. Read out politely. */
export function tell(message: string): void {
  notifications.show({ message, color: 'board', autoClose: 4_000, role: 'status' });
}

/** Says that something failed, and what to do; stays until it has surely been read. */
export function tellError(message: string): void {
  notifications.show({ message, color: 'red', autoClose: 9_000, role: 'alert' });
}
