import { PassThrough, Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import { ZipFile } from 'yazl';

/** One row after another, as they are read from the database. */
export type Rows = AsyncIterable<readonly string[]>;

/**
 * The rows as UTF-8 with its mark, `;` between cells, as a Russian office opens it. A cell that a program would take for a
 * formula gets an apostrophe in front; `readSpreadsheet` takes it away.
 */
export function writeCsv(rows: Rows): Readable {
  async function* lines() {
    yield '\ufeff';
    for await (const row of rows)
      yield stringify([[...row]], { delimiter: ';', escape_formulas: true, record_delimiter: 'windows' });
  }
  return Readable.from(lines());
}

const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packaged = 'http://schemas.openxmlformats.org/package/2006';
const typeOf = (part: string) => `application/vnd.openxmlformats-officedocument.spreadsheetml.${part}+xml`;

const escapeXml = (text: string) =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

const columnName = (index: number): string =>
  (index < 26 ? '' : columnName(Math.floor(index / 26) - 1)) + String.fromCharCode(65 + (index % 26));

/**
 * The rows as a workbook of one sheet, the first row bold and staying in view. Every cell is text and says so, phones and
 * formulas too, so that no program computes or rounds it. `widths`: of the columns, in characters.
 */
export function writeXlsx(
  rows: Rows,
  sheet: { readonly name: string; readonly widths: readonly number[] },
): Readable {
  const archive = new ZipFile();
  const add = (path: string, xml: string) => archive.addBuffer(Buffer.from(head + xml), path);
  add(
    '[Content_Types].xml',
    `<Types xmlns="${packaged}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${typeOf('sheet.main')}"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${typeOf('worksheet')}"/><Override PartName="/xl/styles.xml" ContentType="${typeOf('styles')}"/></Types>`,
  );
  add(
    '_rels/.rels',
    `<Relationships xmlns="${packaged}/relationships"><Relationship Id="rId1" Type="${office}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  );
  add(
    'xl/workbook.xml',
    `<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="${escapeXml(sheet.name)}" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  );
  add(
    'xl/_rels/workbook.xml.rels',
    `<Relationships xmlns="${packaged}/relationships"><Relationship Id="rId1" Type="${office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${office}/styles" Target="styles.xml"/></Relationships>`,
  );
  // Format 49 is text: what is typed into such a cell later stays as it was typed.
  add(
    'xl/styles.xml',
    `<styleSheet xmlns="${main}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs></styleSheet>`,
  );
  async function* sheetXml() {
    const columns = sheet.widths.map(
      (width, index) =>
        `<col min="${index + 1}" max="${index + 1}" width="${width}" style="1" customWidth="1"/>`,
    );
    yield `${head}<worksheet xmlns="${main}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${columns.join('')}</cols><sheetData>`;
    let line = 0;
    for await (const row of rows) {
      line += 1;
      const style = line === 1 ? 2 : 1;
      const cells = row.map((text, index) =>
        text === ''
          ? ''
          : `<c r="${columnName(index)}${line}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${escapeXml(text)}</t></is></c>`,
      );
      yield `<row r="${line}">${cells.join('')}</row>`;
    }
    yield '</sheetData></worksheet>';
  }
  const packed = new PassThrough();
  // Rows that fail to come: the download breaks off, and the process lives.
  const breakOff = (error: Error) => packed.destroy(error);
  const source = Readable.from(sheetXml());
  source.on('error', breakOff);
  archive.on('error', breakOff);
  archive.addReadStream(source, 'xl/worksheets/sheet1.xml');
  archive.end();
  archive.outputStream.pipe(packed);
  return packed;
}
