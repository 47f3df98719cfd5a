// A survey of old lamps as towns keep it: a table from a spreadsheet, with what is printed on each lamp.
import { numberOf } from './numbers'

/** Of lamps that were looked at: their mean watts, how much they differ from lamp to lamp, how many they are; how many rows
 *  said no power that can be; and the heads of the columns that were read, of powers and then of counts. */
export interface Survey {
  mean: number
  sd: number
  count: number
  left: number
  columns: string[]
}

/** Why a table is no survey: no column of it is of powers that can be, two may be the one, or a quotation mark is open. */
export interface Unread {
  why: 'none' | 'two' | 'quotes'
  columns: string[]
}

const WATTS = /(?<![\p{L}\d])w(?:atts?)?(?![\p{L}\d])/iu
const POWER = /puissance|power|^p$/i
const OF_SUPPLY = /kilo|(?<![\p{L}\d])k\s?(?:va|wh?)(?![\p{L}\d])/iu
const LAMP = /lamp|ampoule|source|lumin/i
const COUNT = /nombre|quantit|count(?!r)|^nb/i
const WATTS_MAX = 5_000

/** What a table says. Its first line are heads; a column that counts lamps makes each row so many. Of columns of powers the
 *  one whose head says watts and lamps is meant; one in kilowatts or kVA is of a supply. Semicolons, tabulators or commas
 *  part its columns, and cells are quoted, as RFC 4180 says. A row with more or fewer cells than there are heads is left. */
export function surveyOf(text: string): Survey | Unread {
  const separator = [';', '\t', ','].find((each) => (rowsOf(text, each).rows[0]?.length ?? 0) > 1) ?? ';'
  const { rows, open } = rowsOf(text, separator)
  const heads = rows[0] ?? []
  if (open) return { why: 'quotes', columns: [] }
  const powers = best(heads, (head) => (POWER.test(head) || WATTS.test(head)) && !OF_SUPPLY.test(head), [WATTS, LAMP])
  const counts = best(heads, (head, n) => COUNT.test(head) && !powers.includes(n), [LAMP])
  const twice = [powers, counts].find((each) => each.length > 1)
  if (!powers.length) return { why: 'none', columns: [] }
  if (twice) return { why: 'two', columns: twice.map((n) => heads[n]!) }
  const [power, counting] = [powers[0]!, counts[0]]
  let [count, sum, squares, left] = [0, 0, 0, 0]
  for (const row of rows.slice(1)) {
    const watts = numberOf((row[power] ?? '').replace(/\s*W$/i, ''), separator === ',')
    const lamps = counting === undefined ? 1 : numberOf(row[counting] ?? '', separator === ',')
    if (row.length !== heads.length || !(watts > 0 && watts <= WATTS_MAX) || !(lamps > 0 && Number.isInteger(lamps))) {
      left += 1
      continue
    }
    count += lamps
    sum += lamps * watts
    squares += lamps * watts * watts
  }
  if (!count) return { why: 'none', columns: [] }
  const mean = sum / count
  const sd = count > 1 ? Math.sqrt(Math.max(0, squares - count * mean * mean) / (count - 1)) : 0
  return { mean, sd, count, left, columns: [...powers, ...counts].map((n) => heads[n]!) }
}

/** The rows of a table that are not blank, and whether its last cell lacks the mark that ends it. A mark opens a cell only
 *  where the cell begins: elsewhere it is an inch. */
function rowsOf(text: string, separator: string): { rows: string[][]; open: boolean } {
  const blank = '[^\\S\\t\\r\\n]*'
  const cell = new RegExp(`${blank}"((?:[^"]|"")*)"${blank}(?=${separator}|[\\r\\n]|$)|([^${separator}\\r\\n]*)`, 'y')
  const said = text.replace(/^\ufeff/, '')
  const rows: string[][] = [[]]
  let open = false
  for (let at = 0; at <= said.length; at += 1) {
    cell.lastIndex = at
    const [whole, quoted, plain = ''] = cell.exec(said)!
    open ||= quoted === undefined && /^\s*"[^"]*$/.test(plain)
    rows.at(-1)!.push((quoted?.replaceAll('""', '"') ?? plain).trim())
    at += whole.length
    if (said[at] === '\r' && said[at + 1] === '\n') at += 1
    if (said[at] === '\r' || said[at] === '\n') rows.push([])
  }
  return { rows: rows.filter((row) => row.some((each) => each !== '')), open }
}

/** The columns that may be the one, by their place: of those whose heads will do, those that say most of what is liked. */
function best(heads: string[], does: (head: string, n: number) => boolean, liked: RegExp[]): number[] {
  const likes = (n: number): number => liked.filter((each) => each.test(heads[n]!)).length
  const some = heads.map((_, n) => n).filter((n) => does(heads[n]!, n))
  const most = Math.max(...some.map(likes))
  return some.filter((n) => likes(n) === most)
}
