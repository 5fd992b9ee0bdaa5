// Loaded into both servers (`--import`): collects garbage when the bench asks, so that memory is compared and not luck.
process.on('message', (message) => {
  if (message !== 'collect') return;
  // A usual collection keeps freed pages for later: what a start leaves behind would pay for the first thousands of
  // connections. The last resort gives them back to the system; the second pass frees what finalizers let go.
  for (let pass = 0; pass < 2; pass++)
    globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  process.send('collected');
});
// The bench's channel must not keep a server alive that wants to stop.
process.channel?.unref();
