// A survey of old lamps as towns keep it: a table from a spreadsheet, with what is printed on each lamp.

/** Of lamps that were looked at: their mean watts, how much they differ from lamp to lamp, how many they are; and how many
 *  rows said no power. */
export interface Survey {
  mean: number
  sd: number
  count: number
  left: number
}

const POWER = /watt|puissance|power|^p$|\(w\)|^w$/i
const COUNT = /nombre|quantit|count|^nb/i
const WATTS_MAX = 5_000

/** What a table says; null where no column of it is of powers. Its first line are heads; a column that counts lamps makes
 *  each row so many. Semicolons, commas or tabulators part its columns; a decimal comma is one where semicolons do. */
export function surveyOf(text: string): Survey | null {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/).filter((line) => line.trim() !== '')
  const separator = [';', '\t', ','].find((each) => lines[0]?.includes(each)) ?? ';'
  const rows = lines.map((line) => line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1').trim()))
  const heads = rows[0] ?? []
  const power = heads.findIndex((head) => POWER.test(head))
  if (power < 0) return null
  const counting = heads.findIndex((head, n) => n !== power && COUNT.test(head))
  let [count, sum, squares, left] = [0, 0, 0, 0]
  for (const row of rows.slice(1)) {
    const watts = numberOf(row[power])
    const lamps = counting < 0 ? 1 : numberOf(row[counting])
    if (!(watts > 0 && watts <= WATTS_MAX) || !(lamps > 0 && Number.isInteger(lamps))) {
      left += 1
      continue
    }
    count += lamps
    sum += lamps * watts
    squares += lamps * watts * watts
  }
  if (!count) return null
  const mean = sum / count
  const sd = count > 1 ? Math.sqrt(Math.max(0, squares - count * mean * mean) / (count - 1)) : 0
  return { mean, sd, count, left }
}

function numberOf(cell: string | undefined): number {
  const said = (cell ?? '').replace(/\s*W$/i, '').replace(/[\s\u00a0\u202f]/g, '').replace(',', '.')
  return said === '' ? NaN : Number(said)
}
