import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { repositoryRoot, type ServerProcess } from './process.ts';

/** Several browsers with cameras on two cores without a graphics card: what takes long there is not broken. */
export const patience = { timeout: 60_000 };

/** Where browser tests leave what they saw, for a human's eye; not committed. */
export const artifacts = join(repositoryRoot, 'tests/artifacts');

export const phoneSize = { width: 390, height: 844 };
export const desktopSize = { width: 1280, height: 800 };

/** Debian's Chromium with a camera and a microphone that beeps about once a second. */
export async function launchBrowser(): Promise<Browser> {
  await mkdir(artifacts, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
    // Without a UTF-8 locale Chromium saves «Приказ.pdf» as “download”: a bare machine has none.
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--use-fake-device-for-media-stream=fps=10',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

/** One person at one device: a browser profile of their own. */
export class Person {
  readonly name: string;
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page's console complained about. */
  readonly complaints: string[] = [];

  private constructor(name: string, context: BrowserContext, page: Page) {
    this.name = name;
    this.context = context;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  static async sitDown(
    browser: Browser,
    server: Pick<ServerProcess, 'url'>,
    name: string,
    viewport: { width: number; height: number },
  ): Promise<Person> {
    const context = await browser.newContext({
      baseURL: server.url,
      locale: 'ru-RU',
      viewport,
      hasTouch: viewport.width < 600,
      permissions: ['microphone', 'camera'],
    });
    context.setDefaultTimeout(patience.timeout);
    // Lets the test read what the browser itself decoded, for each connection that the page opens.
    await context.addInitScript(() => {
      const opened: RTCPeerConnection[] = [];
      const Native = window.RTCPeerConnection;
      window.RTCPeerConnection = class extends Native {
        constructor(configuration?: RTCConfiguration) {
          super(configuration);
          opened.push(this);
        }
      };
      Object.assign(window, { openedConnections: opened });
    });
    return new Person(name, context, await context.newPage());
  }

  /** From the sign-in form on the page to the first page inside. */
  async enterPhoneAndCode(server: ServerProcess, phone: string): Promise<void> {
    await this.page.getByTestId('phone').fill(phone);
    const mark = server.terminal.length;
    await this.page.getByTestId('request-code').click();
    await this.page.getByTestId('code').fill(await server.code(phone, mark));
  }

  /** Gives the page's device a keeper of passkeys, as a laptop with a fingerprint reader has one. */
  async keepPasskeys(): Promise<{ setOwnerPresent(present: boolean): Promise<void> }> {
    const devtools = await this.context.newCDPSession(this.page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return {
      async setOwnerPresent(present) {
        await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: present });
      },
    };
  }

  /** `whole`: the page to its end, not what fits the screen. */
  async screenshot(name: string, whole = false): Promise<void> {
    await this.page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: whole });
  }

  openConversation(title: string | RegExp): Promise<void> {
    return this.page.getByTestId('conversation').filter({ hasText: title }).first().click();
  }

  async send(text: string): Promise<void> {
    await this.page.getByTestId('composer').fill(text);
    await this.page.getByTestId('send').click();
  }

  /** What this browser has decoded so far, by the track's id. */
  async received(): Promise<Received> {
    return this.page.evaluate(async () => {
      const connections = (window as unknown as { openedConnections: RTCPeerConnection[] }).openedConnections;
      const video: Record<string, number> = {};
      const audio: Record<string, number> = {};
      for (const connection of connections) {
        if (connection.connectionState === 'closed') continue;
        for (const report of (await connection.getStats()).values()) {
          if (report.type !== 'inbound-rtp') continue;
          if (report.kind === 'video') video[report.trackIdentifier] = report.framesDecoded ?? 0;
          if (report.kind === 'audio') audio[report.trackIdentifier] = report.totalAudioEnergy ?? 0;
        }
      }
      const tiles = [...document.querySelectorAll<HTMLElement>('[data-testid="tile"]')].map((tile) => {
        const element = tile.querySelector('video');
        const stream = element?.srcObject instanceof MediaStream ? element.srcObject : undefined;
        return {
          name: tile.dataset.name ?? '',
          own: tile.dataset.own !== undefined,
          track: stream?.getVideoTracks()[0]?.id,
          width: element?.videoWidth ?? 0,
        };
      });
      return { video, audio, tiles };
    });
  }
}

export interface Received {
  /** Frames decoded. */
  readonly video: Readonly<Record<string, number>>;
  /** Energy of the sound, rising while there is any. */
  readonly audio: Readonly<Record<string, number>>;
  readonly tiles: readonly {
    readonly name: string;
    readonly own: boolean;
    readonly track: string | undefined;
    readonly width: number;
  }[];
}
