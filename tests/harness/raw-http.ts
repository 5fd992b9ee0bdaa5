import { connect } from 'node:net';

/** Writes raw bytes; resolves with what came back once the server has closed, and after how long. */
export function sendRaw(
  port: number,
  text: string,
  patienceMs: number,
): Promise<{ answer: string; tookMs: number }> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`Still open after ${patienceMs} ms.`));
    }, patienceMs);
    socket.on('data', (data) => {
      answer += String(data);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ answer, tookMs: performance.now() - startedAt });
    });
  });
}
