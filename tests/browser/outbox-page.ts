// The page of the outbox tests: the SDK in a real browser, driven by the test through `window`.
import { type Client, createClient, waitFor } from '@zvonok/client-sdk';

declare global {
  interface Window {
    client: Client;
    waitFor: typeof waitFor;
  }
}

window.client = createClient({ logLevel: 'silent' });
window.waitFor = waitFor;
void window.client.start();
