/** Long enough for a browser that asks where to put it. */
const takenMs = 60_000;

/** Saves bytes that were fetched as a file of this name: what a link with a `download` does, for requests that carry headers. */
export function saveFile(name: string, bytes: Blob): void {
  const url = URL.createObjectURL(bytes);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), takenMs);
}
