import { expect, it } from 'vitest';
import { installCommand, installPermission, missingPackages } from './system-packages.mjs';

it('changes the system as root, or with sudo where that was asked for, and never else', () => {
  expect(installPermission(0, undefined)).toBe('root');
  expect(installPermission(1000, undefined)).toBe('no');
  expect(installPermission(1000, 'auto')).toBe('sudo');
  expect(installPermission(1000, 'yes')).toBe('no');
});

it('finds the packages that are missing, among others that are not', async () => {
  expect(await missingPackages(['dpkg', 'no-such-package-anywhere'])).toEqual(['no-such-package-anywhere']);
});

it('names one command for all of them', () => {
  expect(installCommand(['a', 'b'])).toBe(
    'sudo apt-get update && sudo apt-get install -y --no-install-recommends a b',
  );
});
