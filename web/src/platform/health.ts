import { useEffect, useState } from 'react';

interface Health {
  readonly demo?: boolean;
  readonly version?: string;
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

/** Whether this server is a demonstration, which prints sign-in codes to its terminal. */
export function useDemo(): boolean {
  const [demo, setDemo] = useState(false);
  useEffect(() => {
    let here = true;
    void health().then((answer) => {
      if (here) setDemo(answer.demo === true);
    });
    return () => {
      here = false;
    };
  }, []);
  return demo;
}

export function useServerVersion(): string | undefined {
  const [version, setVersion] = useState<string>();
  useEffect(() => {
    let here = true;
    void health().then((answer) => {
      if (here) setVersion(answer.version);
    });
    return () => {
      here = false;
    };
  }, []);
  return version;
}
