import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { disconnectCatalogue, errorCatalogue, procedureContract, universalErrors } from '@zvonok/shared';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

function sourcesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && !name.includes('node_modules'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'));
}

const server = sourcesOf('server/src').join('\n');

describe('the error catalogue', () => {
  it('holds every code that the server throws', () => {
    const thrown = [...server.matchAll(/new CodedError\(\s*'([A-Z_]+)'/g)].map((match) => match[1]);
    expect(thrown.length).toBeGreaterThan(20);
    expect(thrown.filter((code) => !(code !== undefined && code in errorCatalogue))).toEqual([]);
  });

  it('holds no code that nothing answers', () => {
    const unused = Object.keys(errorCatalogue).filter((code) => !server.includes(`'${code}'`));
    expect(unused).toEqual([]);
  });

  it('has each code that a procedure names, and none named that is universal anyway', () => {
    for (const procedure of Object.values(procedureContract)) {
      for (const code of procedure.errors) {
        expect(errorCatalogue, `${procedure.name} names ${code}`).toHaveProperty(code);
        expect(universalErrors as readonly string[], `${procedure.name} repeats ${code}`).not.toContain(code);
      }
    }
  });

  it('has a procedure for each code that is not universal', () => {
    const named = new Set<string>(
      Object.values(procedureContract).flatMap((procedure) => [...procedure.errors]),
    );
    const orphans = Object.keys(errorCatalogue).filter(
      (code) => !named.has(code) && !(universalErrors as readonly string[]).includes(code),
    );
    expect(orphans).toEqual([]);
  });

  it('stands in the documentation, code by code', () => {
    const docs = readFileSync(join(root, 'docs/protocol.md'), 'utf8');
    for (const code of [...Object.keys(errorCatalogue), ...Object.keys(disconnectCatalogue)]) {
      expect(docs).toContain(`\`${code}\``);
    }
  });
});

describe('the public list', () => {
  it('is exactly this: whoever adds a procedure without a session says so here', () => {
    const open = Object.values(procedureContract)
      .filter((procedure) => procedure.access === 'public')
      .map((procedure) => procedure.name);
    expect(open.sort()).toEqual([
      'accounts.beginPasskeySignIn',
      'accounts.finishPasskeySignIn',
      'accounts.requestCode',
      'accounts.signInByCard',
      'accounts.verifyCode',
      'desk.answerQuestion',
      'desk.getApplication',
      'desk.submitApplication',
      'school.previewInvite',
    ]);
  });
});
