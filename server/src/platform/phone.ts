import { CodedError } from '@zvonok/shared/errors.ts';
import { parsePhoneNumberFromString } from 'libphonenumber-js/mobile';

/**
 * Brings a phone as people type it to E.164. Without a country code it counts as Russian, with or without the leading
 * 8 or 7.
 *
 * @throws CodedError PHONE_INVALID where it can't be a mobile phone
 */
export function normalisePhone(typed: string): string {
  const phone = parsePhoneNumberFromString(typed, 'RU');
  // A Russian number typed as 7 912… without its plus.
  const russian = /^7\d{10}$/.test(typed.replaceAll(/\D/g, '')) && !typed.trim().startsWith('+');
  const found = russian ? parsePhoneNumberFromString(`+${typed.replaceAll(/\D/g, '')}`) : phone;
  if (found === undefined || !found.isValid() || found.ext !== undefined)
    throw new CodedError('PHONE_INVALID');
  return found.number;
}

/** E.164 as people of its country write it; others keep their plus. `normalisePhone` takes it back. */
export function formatPhone(phone: string): string {
  const parsed = parsePhoneNumberFromString(phone);
  return parsed?.country === 'RU' ? parsed.formatNational() : phone;
}
