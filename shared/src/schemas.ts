/** Shapes that many contracts are made of. */
import Type from 'typebox';

/** One line of text that people read: no control, bidirectional or invisible characters. */
export const line = (maxLength: number) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: '^[\\p{L}\\p{N}«"№][\\p{L}\\p{M}\\p{N}\\p{P}\\p{Sm}\\p{So} ]*$',
  });
/** Some lines of it. The first part holds no letter, so that there is one way to match and a long mismatch costs no more. */
export const paragraph = (maxLength: number) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern:
      '^[\\p{M}\\p{P}\\p{Sm}\\p{So}\\p{Sc} \\n]*[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}\\p{P}\\p{Sm}\\p{So}\\p{Sc} \\n]*$',
  });
