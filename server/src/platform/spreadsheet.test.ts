import { deflateRawSync } from 'node:zlib';
import { spreadsheetLimits } from '@zvonok/shared';
import { describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { readSpreadsheet, SpreadsheetError } from './spreadsheet.ts';
import { writeCsv, writeXlsx } from './spreadsheet-writer.ts';

const rowsOf = async (file: string | Buffer) =>
  (await readSpreadsheet(Buffer.from(file as string))).map((row) => row.cells);
const faultOf = (file: string | Buffer) =>
  readSpreadsheet(Buffer.from(file as string)).then(
    () => 'read',
    (error: unknown) => (error instanceof SpreadsheetError ? [error.fault, error.line] : error),
  );

/** windows-1251, as Excel saves «CSV» in Russian. */
const cp1251 = (text: string) =>
  Buffer.from(
    [...text].map((letter) => {
      const code = letter.codePointAt(0) ?? 0;
      return code < 128 ? code : letter === 'ё' ? 0xb8 : code - 0x410 + 0xc0;
    }),
  );

async function packed(parts: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [path, text] of Object.entries(parts)) archive.addBuffer(Buffer.from(text), path);
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const book = {
  'xl/workbook.xml':
    '<workbook xmlns:r="r"><sheets><sheet name="x" state="hidden" r:id="a"/><sheet name="y" r:id="b"/></sheets></workbook>',
  'xl/_rels/workbook.xml.rels':
    '<Relationships><Relationship Id="a" Target="worksheets/hidden.xml"/><Relationship Id="b" Target="/xl/worksheets/sheet2.xml"/></Relationships>',
};
const sheet = (rows: string) =>
  packed({ ...book, 'xl/worksheets/sheet2.xml': `<worksheet><sheetData>${rows}</sheetData></worksheet>` });

describe('a table of text', () => {
  const said = [
    ['ФИО', 'Класс'],
    ['Ёлкин Ян', '7Б'],
  ];
  it.each([
    ['semicolons', 'ФИО;Класс\nЁлкин Ян;7Б\n'],
    ['commas', 'ФИО,Класс\r\nЁлкин Ян,7Б'],
    ['tabs', 'ФИО\tКласс\nЁлкин Ян\t7Б'],
    ['the line of Excel', 'sep=;\r\nФИО;Класс\r\nЁлкин Ян;7Б'],
    ['quotes', '"ФИО";"Класс"\n"Ёлкин Ян";"7Б"'],
    ['blank lines and columns', '\n;;\nФИО ; Класс;;\n\n Ёлкин Ян;7Б;;\n;;;\n'],
  ])('is read with %s', async (_name, text) => {
    expect(await rowsOf(text)).toEqual(said);
  });

  it('is read in UTF-8 with its mark, UTF-16 of both kinds, and windows-1251', async () => {
    const text = 'ФИО;Класс\r\nЁлкин Ян;7Б';
    const wide = Buffer.from(`\ufeff${text}`, 'utf16le');
    const files = [
      Buffer.from(`\ufeff${text}`),
      wide,
      Buffer.from(wide).swap16(),
      Buffer.from(text, 'utf16le'),
    ];
    for (const file of files) expect(await rowsOf(file)).toEqual(said);
    expect(await rowsOf(cp1251('ФИО;Класс\nелкин Ян;7Б'))).toEqual([said[0], ['елкин Ян', '7Б']]);
  });

  it('keeps quotes, line breaks and the number of the line', async () => {
    const rows = await readSpreadsheet(Buffer.from('а;б\n"в\nг";"д ""е"""\n\nООО "Ж";з'));
    expect(rows).toEqual([
      { line: 1, cells: ['а', 'б'] },
      { line: 2, cells: ['в\nг', 'д "е"'] },
      { line: 5, cells: ['ООО "Ж"', 'з'] },
    ]);
  });
});

describe('a workbook', () => {
  it('is read from its first visible sheet: texts, numbers, formulas as their values', async () => {
    const file = await packed({
      ...book,
      'xl/sharedStrings.xml':
        '<sst><si><t>Ёлкин </t><r><t>Ян</t></r><rPh><t>йолкин</t></rPh></si><si><t>7Б &amp; 8А</t></si></sst>',
      'xl/worksheets/hidden.xml':
        '<worksheet><sheetData><row><c t="str"><v>нет</v></c></row></sheetData></worksheet>',
      'xl/worksheets/sheet2.xml':
        '<x:worksheet xmlns:x="x"><x:sheetData><x:row r="3"><x:c r="A3" t="s"><x:v>0</x:v></x:c><x:c r="C3" t="s"><x:v>1</x:v></x:c></x:row>' +
        '<x:row r="7"><x:c r="B7"><x:v>7.9111234567E10</x:v></x:c><x:c r="C7" t="str"><x:f>1+1</x:f><x:v>2</x:v></x:c><x:c r="D7" t="e"><x:v>#N/A</x:v></x:c>' +
        '<x:c r="E7" t="inlineStr"><x:is><x:t>да</x:t></x:is></x:c><x:c r="F7"/></x:row></x:sheetData></x:worksheet>',
    });
    expect(await readSpreadsheet(file)).toEqual([
      { line: 3, cells: ['Ёлкин Ян', '', '7Б & 8А'] },
      { line: 7, cells: ['', '79111234567', '2', '', 'да'] },
    ]);
  });

  it('takes nothing from names that objects have', async () => {
    const rows = await sheet('<row><c t="str"><v>__proto__</v></c><c t="s"><v>constructor</v></c></row>');
    expect(await rowsOf(rows)).toEqual([['__proto__']]);
    expect(({} as { cells?: unknown }).cells).toBeUndefined();
  });
});

/** A zip of one entry that says of itself what it likes. */
function liar(name: string, content: Buffer, saidBytes: number): Buffer {
  const data = deflateRawSync(content);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(saidBytes, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('504b0304', 'hex'), common, Buffer.from(name), data]);
  const central = Buffer.concat([
    Buffer.from('504b01021400', 'hex'),
    common,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('504b0506', 0, 'hex');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

describe('a file that is no table', () => {
  const cell = (text: string) => `<row><c t="str"><v>${text}</v></c></row>`;
  const long = 'а'.repeat(spreadsheetLimits.cellLength + 1);
  const files: [string, unknown, () => string | Buffer | Promise<Buffer>][] = [
    ['nothing', ['EMPTY', undefined], () => ''],
    ['blanks alone', ['EMPTY', undefined], () => ' ;;\n\n ; '],
    ['a picture', ['NOT_A_TABLE', undefined], () => Buffer.from('89504e470d0a1a0a0000000d', 'hex')],
    ['zeros', ['NOT_A_TABLE', undefined], () => Buffer.alloc(5_000)],
    ['an escape for a terminal', ['NOT_A_TABLE', undefined], () => 'а;\u001b[2J'],
    ['a workbook of before 2007', ['OLD_OR_LOCKED', undefined], () => Buffer.from('d0cf11e0a1b11ae1', 'hex')],
    ['a quote that is not closed', ['BROKEN', 2], () => 'а;б\n"в;г'],
    ['a cell that is too long', ['TOO_LARGE', 1], () => `${long};б`],
    ['too many columns', ['TOO_LARGE', 2], () => `а;б\n${'а;'.repeat(spreadsheetLimits.columns + 1)}`],
    ['too many lines', ['TOO_MANY_ROWS', undefined], () => 'а;б\n'.repeat(spreadsheetLimits.rows + 1)],
    ['too many bytes', ['TOO_LARGE', undefined], () => Buffer.alloc(spreadsheetLimits.fileBytes + 1, 'а')],
    ['half an archive', ['BROKEN', undefined], async () => (await sheet(cell('а'))).subarray(0, 200)],
    [
      'an archive of something else',
      ['NOT_A_TABLE', undefined],
      () => packed({ 'word/document.xml': '<a/>' }),
    ],
    ['a workbook without its sheet', ['BROKEN', undefined], () => packed(book)],
    ['a sheet that breaks off', ['BROKEN', undefined], () => sheet('<row><c><v>1')],
    ['a cell at no place', ['BROKEN', undefined], () => sheet('<row><c r="7"><v>1</v></c></row>')],
    ['a cell far to the right', ['TOO_LARGE', 1], () => sheet('<row r="1"><c r="XFD1"><v>1</v></c></row>')],
    ['a long cell of a sheet', ['TOO_LARGE', undefined], () => sheet(cell(long))],
    [
      'too many rows of a sheet',
      ['TOO_MANY_ROWS', undefined],
      () => sheet(cell('а').repeat(spreadsheetLimits.rows + 1)),
    ],
    [
      'entities that grow',
      ['BROKEN', undefined],
      () =>
        packed({
          ...book,
          'xl/worksheets/sheet2.xml':
            '<!DOCTYPE a [<!ENTITY b "ббббббббб"><!ENTITY c "&b;&b;&b;">]><worksheet><sheetData><row><c t="str"><v>&c;</v></c></row></sheetData></worksheet>',
        }),
    ],
    [
      'a bomb',
      ['TOO_LARGE', undefined],
      () =>
        packed({
          ...book,
          'xl/sharedStrings.xml': `<sst>${' '.repeat(spreadsheetLimits.unpackedBytes)}</sst>`,
        }),
    ],
    [
      'a bomb that calls itself small',
      ['BROKEN', undefined],
      () => liar('xl/workbook.xml', Buffer.alloc(spreadsheetLimits.unpackedBytes * 2, ' '), 100),
    ],
    [
      'thousands of parts',
      ['TOO_LARGE', undefined],
      () =>
        packed(
          Object.fromEntries(
            Array.from({ length: spreadsheetLimits.archiveEntries + 1 }, (_, i) => [`${i}`, '']),
          ),
        ),
    ],
  ];
  it.each(files)('is refused, and said what for: %s', async (_name, fault, file) => {
    expect(await faultOf(await file())).toEqual(fault);
  });
});

describe('a table that is written', () => {
  const rows = [
    ['ФИО', 'Телефон'],
    ['=HYPERLINK("http://x";"a")', '+7 900'],
    ['@SUM(1)', '-1'],
    ['а;"б"\nв', ' <&> '],
  ];
  async function* each() {
    yield* rows;
  }
  const bytesOf = async (stream: AsyncIterable<string | Buffer>) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };
  const trimmed = rows.map((row) => row.map((text) => text.trim()));

  it('is the same when it is read, and no cell of it is a formula', async () => {
    const csv = await bytesOf(writeCsv(each()));
    expect(await rowsOf(csv)).toEqual(trimmed);
    for (const start of csv.toString('utf8').split(/[;\n"]/)) expect(start).not.toMatch(/^[=@+-]/);
    const xlsx = await bytesOf(writeXlsx(each(), { name: 'Люди', widths: [20, 10] }));
    expect(await rowsOf(xlsx)).toEqual(trimmed);
  });

  it('breaks off where its rows do', async () => {
    async function* broken() {
      yield ['а'];
      throw new Error('the database is away');
    }
    await expect(bytesOf(writeCsv(broken()))).rejects.toThrow('away');
    await expect(bytesOf(writeXlsx(broken(), { name: 'а', widths: [1] }))).rejects.toThrow('away');
  });
});
