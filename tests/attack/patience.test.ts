// long: real time passes in it
import { createClient } from '@zvonok/client-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApp, startApp } from '../harness/app.ts';
import { sendRaw } from '../harness/raw-http.ts';

/** How long the server waits for those who say nothing, or little, in real time: all of them at once. */
let running: RunningApp;
let port: number;

beforeAll(async () => {
  running = await startApp();
  port = Number(new URL(running.url).port);
});
afterAll(() => running?.stop());

describe.concurrent('the server', () => {
  it.each([
    ['headers', 'POST /api/v1/accounts.getMe HTTP/1.1\r\nHost: x\r\n'],
    ['nothing', ''],
  ])('waits 10 s for the end of the headers: %s', async (_name, text) => {
    const { tookMs } = await sendRaw(port, text, 15_000);
    expect(tookMs).toBeGreaterThan(9_000);
  });

  it('waits 30 s for a body that never ends', async () => {
    const { tookMs } = await sendRaw(
      port,
      'POST /api/v1/accounts.getMe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
      45_000,
    );
    expect(tookMs).toBeGreaterThan(29_000);
    expect(tookMs).toBeLessThan(40_000);
  });

  it('cuts a connection that never says who it is within 10 s', async () => {
    const socket = new WebSocket(`${running.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const startedAt = Date.now();
    await new Promise((resolve) => socket.addEventListener('close', resolve));
    expect(Date.now() - startedAt).toBeLessThan(12_000);
  });

  it('takes a scan on a slow line for longer than a request may take, as long as bytes come', async () => {
    const applicant = createClient({ url: running.url, carrier: 'bearer', logLevel: 'silent' });
    const { token } = await applicant.desk.submitApplication({
      form: {
        schoolName: 'Школа на отшибе',
        vocabulary: 'school',
        address: 'г. Псков, ул. Мира, 2',
        registerId: '6000000001',
        orderNumber: '3',
        orderDate: '2026-08-20',
        adminName: 'Ильина Вера Павловна',
        adminEmail: 'school@example.org',
        adminPhone: '+79031111101',
      },
    });
    const bytes = new TextEncoder().encode(`%PDF-1.7\n${'x'.repeat(3_400)}`);
    let sent = 0;
    const slowly = new ReadableStream({
      async pull(controller) {
        if (sent >= bytes.length) return controller.close();
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        controller.enqueue(bytes.subarray(sent, sent + 100));
        sent += 100;
      },
    });
    const began = Date.now();
    const answer = await fetch(`${running.url}/api/desk/orders`, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        'zvonok-application': token,
        'zvonok-file-name': 'a.pdf',
      },
      body: slowly,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.json()).toMatchObject({ application: { orderFile: 'a.pdf' } });
    expect(Date.now() - began).toBeGreaterThan(31_000);
    applicant.close();
  });
});
