// Loaded into both servers (`--import`): collects garbage when the bench asks, so that memory is compared and not luck.
process.on('message', (message) => {
  if (message !== 'collect') return;
  // The second pass frees what the first one's finalizers let go.
  globalThis.gc();
  globalThis.gc();
  process.send('collected');
});
// The bench's channel must not keep a server alive that wants to stop.
process.channel?.unref();
