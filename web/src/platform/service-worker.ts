import { useEffect, useState } from 'react';

/** How often an open tab looks for a new version. */
const lookMs = 60 * 60_000;

/**
 * Registers the worker that keeps the shell of the app (never an API reply) and tells when a new version waits.
 * `activate` lets it take over and reloads every tab; it is called only when the person agrees.
 */
export function useNewVersion(): { readonly ready: boolean; activate(): void } {
  const [waiting, setWaiting] = useState<ServiceWorker>();

  useEffect(() => {
    if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return undefined;
    let timer: ReturnType<typeof setInterval> | undefined;
    let here = true;
    navigator.serviceWorker
      .register('/sw.js', { scope: '/', updateViaCache: 'none' })
      .then((registration) => {
        if (!here) return;
        const look = () => {
          // Without a controller it is the first visit: there is nothing old to replace.
          if (registration.waiting !== null && navigator.serviceWorker.controller !== null) {
            setWaiting(registration.waiting);
          }
        };
        look();
        registration.addEventListener('updatefound', () =>
          registration.installing?.addEventListener('statechange', look),
        );
        timer = setInterval(() => void registration.update().catch(() => undefined), lookMs);
      })
      // The app works without it; the browser may forbid workers in a private window.
      .catch(() => undefined);
    return () => {
      here = false;
      clearInterval(timer);
    };
  }, []);

  return {
    ready: waiting !== undefined,
    activate() {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      waiting?.postMessage({ type: 'SKIP_WAITING' });
    },
  };
}
