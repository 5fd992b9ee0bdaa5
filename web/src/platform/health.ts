import { useEffect, useState } from 'react';

interface Health {
  readonly demo?: boolean;
  readonly version?: string;
  readonly identityProvider?: string;
}

let asked: Promise<Health> | undefined;

/** What the server says about itself; `{}` where it can't be reached. Asked once per visit. */
function health(): Promise<Health> {
  asked ??= fetch('/healthz', { credentials: 'omit' })
    .then((reply) => reply.json() as Promise<Health>)
    .catch(() => {
      asked = undefined;
      return {};
    });
  return asked;
}

function useHealth(): Health {
  const [known, setKnown] = useState<Health>({});
  useEffect(() => {
    let here = true;
    void health().then((answer) => {
      if (here) setKnown(answer);
    });
    return () => {
      here = false;
    };
  }, []);
  return known;
}

/** Whether this server is a demonstration, which prints sign-in codes to its terminal. */
export function useDemo(): boolean {
  return useHealth().demo === true;
}

export function useServerVersion(): string | undefined {
  return useHealth().version;
}

/** What the region's identity provider is called, where people can sign in by it. */
export function useIdentityProvider(): string | undefined {
  return useHealth().identityProvider;
}
