/** Signs that the contract takes nowhere: control, invisible and bidirectional ones, as they come with pasted text. */
const refused = /[^\p{L}\p{M}\p{N}\p{P}\p{Sm}\p{So}\p{Sc} \n]/gu;

/** One line as the server takes it: the hard spaces of office programs become spaces, what nobody sees is dropped. */
export function plainLine(typed: string): string {
  return typed.replaceAll(/\s+/gu, ' ').replaceAll(refused, '').trim();
}

/** Some lines of text, likewise. */
export function plainParagraph(typed: string): string {
  return typed
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\S\n]+/gu, ' ')
    .replaceAll(refused, '')
    .trim();
}
