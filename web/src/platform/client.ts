import { type Client, createClient, type EventName, type SessionState } from '@zvonok/client-sdk';
import { useSyncExternalStore } from 'react';
import { preferredLanguage } from './i18n.ts';

/** The one way to the server. Same origin, cookie session; made once per tab. */
export const client: Client = createClient({ locale: preferredLanguage() });

/** Calls the listener for each of these events. Returns the way to stop. */
export function onAny(names: readonly EventName[], listener: () => void): () => void {
  const stops = names.map((name) => client.on(name, listener));
  return () => {
    for (const stop of stops) stop();
  };
}

interface Source<T> {
  getSnapshot(): T;
  subscribe(listener: () => void): () => void;
}

/** Renders again whenever the source changes. */
export function useSource<T>(source: Source<T>): T {
  return useSyncExternalStore(source.subscribe, source.getSnapshot);
}

export type SignedIn = Extract<SessionState, { state: 'signedIn' }>;

export function useSession(): SessionState {
  return useSource(client.session);
}
