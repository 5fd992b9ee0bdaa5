/** What names must look like, as plain data: the contract is made of it, and whoever reads tables loads no contract for it. */
import { schoolLimits } from './limits.ts';

/** A text by its length and its pattern, as JSON Schema has them. */
export type TextForm = Readonly<Record<'minLength' | 'maxLength', number> & Record<'pattern', string>>;

export const fullNameForm: TextForm = {
  minLength: 2,
  maxLength: schoolLimits.nameLength,
  pattern: "^\\p{L}\\p{M}{0,2}(?:\\p{L}\\p{M}{0,2}|[ .'’()-])*$",
};

/** One line of printable characters, starting with a letter or a digit. */
const label = '^[\\p{L}\\p{N}](?:[\\p{L}\\p{N}]\\p{M}{0,2}|[ .,:+&/№«»"\'’()-])*$';
export const groupNameForm: TextForm = {
  minLength: 1,
  maxLength: schoolLimits.groupNameLength,
  pattern: label,
};
export const subjectForm: TextForm = { minLength: 1, maxLength: schoolLimits.subjectLength, pattern: label };
