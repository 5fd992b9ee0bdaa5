export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Facts for whoever debugs: codes, states, ids. Never a text, phone, code or token. */
export interface ClientLogger {
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

export function createClientLogger(level: LogLevel): ClientLogger {
  const loudest = logLevels.indexOf(level);
  const at = (own: Exclude<LogLevel, 'silent'>) => {
    if (logLevels.indexOf(own) > loudest) return () => undefined;
    return (message: string, facts?: Readonly<Record<string, unknown>>) => {
      console[own](`zvonok: ${message}`, ...(facts === undefined ? [] : [facts]));
    };
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
