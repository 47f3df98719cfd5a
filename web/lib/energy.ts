// What lighting used, as the API tells it, and its rows as tables show them.

export interface Interval {
  value: number
  low: number
  high: number
}

export interface Used {
  lamps: number
  estimated_kwh: number
  known_share: number
  metered_kwh: number | null
  eur: number
  kg_co2: number
  before: Interval | null
  saving: Interval | null
}

export interface CabinetUse {
  id: string
  metered_kwh: number | null
  estimated_kwh: number
  unexplained_kwh: number | null
  why: string
}

export interface EnergyReport {
  first: string
  last: string
  nights: number
  whole: Used
  areas: Record<string, Used>
  streets: Record<string, Used>
  programmes: Record<string, Used>
  cabinets: CabinetUse[]
  target: number | null
  tariff: { source: string } | null
  kept: { first: string; last: string }[]
}

export interface Energy {
  state: 'waiting' | 'summing' | 'ready'
  sum: string | null
  done: number
  since: string
  report: EnergyReport | null
  programmes: Record<string, string>
  cabinets: Record<string, string>
}

/** Of how many nights the sums were read that are kept of them. */
export function nightsKept({ kept }: EnergyReport): number {
  return kept.reduce((sum, { first, last }) => sum + Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000) + 1, 0)
}

/** What a table can be by. */
export const PARTS = ['areas', 'streets', 'programmes', 'cabinets'] as const
export type Part = (typeof PARTS)[number]

/** A row of any of the tables. key: a path, a street's key, an id. where: what is said beside its name. */
export interface Row {
  key: string
  name: string
  where: string
  values: Partial<Record<Column, number | null>>
  /** What is drawn was estimated, not metered. */
  estimated: boolean
  saving: Interval | null
  why: string
}

export type Column = 'lamps' | 'kwh' | 'eur' | 'kg_co2' | 'known' | 'before' | 'saving' | 'metered' | 'by_lamps' | 'unexplained'

export const COLUMNS: Record<Part, readonly Column[]> = {
  areas: ['lamps', 'kwh', 'eur', 'kg_co2', 'known', 'before', 'saving'],
  streets: ['lamps', 'kwh', 'eur', 'kg_co2', 'known', 'before', 'saving'],
  programmes: ['lamps', 'kwh', 'eur', 'kg_co2', 'known', 'before', 'saving'],
  cabinets: ['metered', 'by_lamps', 'unexplained'],
}

/** What counts: what was metered, else what was estimated. */
export function drawn(used: Used): number {
  return used.metered_kwh ?? used.estimated_kwh
}

export function usedRow(key: string, name: string, where: string, used: Used, priced: boolean): Row {
  return {
    key,
    name,
    where,
    values: {
      lamps: used.lamps,
      kwh: drawn(used),
      eur: priced ? used.eur : null,
      kg_co2: priced ? used.kg_co2 : null,
      known: used.known_share,
      before: used.before?.value ?? null,
      saving: used.saving?.value ?? null,
    },
    estimated: used.metered_kwh === null,
    saving: used.saving,
    why: '',
  }
}

export function cabinetRow(use: CabinetUse, name: string): Row {
  return {
    key: use.id,
    name,
    where: '',
    values: { metered: use.metered_kwh, by_lamps: use.estimated_kwh, unexplained: use.unexplained_kwh },
    estimated: false,
    saving: null,
    why: use.why,
  }
}

export interface Sort {
  column: Column | 'name'
  down: boolean
}

/** What a table is sorted by at first: the largest use, and of cabinets the load that nothing explains. */
export function firstSort(part: Part): Sort {
  return { column: part === 'cabinets' ? 'unexplained' : 'kwh', down: true }
}

/** The rows in order; what is not known comes last either way. */
export function sorted(rows: readonly Row[], { column, down }: Sort, language: string): Row[] {
  const sign = down ? -1 : 1
  const names = new Intl.Collator(language, { numeric: true }).compare
  return [...rows].sort((a, b) => {
    if (column === 'name') return sign * names(a.name, b.name)
    const [x, y] = [a.values[column] ?? null, b.values[column] ?? null]
    if (x === null || y === null) return (x === null ? 1 : 0) - (y === null ? 1 : 0) || names(a.name, b.name)
    return sign * (x - y) || names(a.name, b.name)
  })
}

/** The areas that divide a town: those of the first depth at which there are several. */
export function dividing(paths: readonly string[]): string[] {
  const depth = (path: string): number => path.split('/').length
  const deepest = Math.max(...paths.map(depth))
  for (let level = 1; level <= deepest; level += 1) {
    const own = paths.filter((path) => depth(path) === level)
    if (own.length > 1 || level === deepest) return own
  }
  return []
}

/** A street's name and its area's path: the longest that its key begins with. */
export function streetOf(key: string, areas: Record<string, unknown>): [name: string, area: string] {
  for (let cut = key.lastIndexOf('/'); cut > 0; cut = key.lastIndexOf('/', cut - 1)) {
    if (key.slice(0, cut) in areas) return [key.slice(cut + 1), key.slice(0, cut)]
  }
  return [key.replace(/^\/+/, ''), '']
}

/** Whether the contract is kept: '' where there is nothing to compare. */
export function promise({ whole: { saving }, target }: EnergyReport): 'kept' | 'missed' | 'open' | '' {
  if (!saving || target === null) return ''
  return saving.low >= target ? 'kept' : saving.high < target ? 'missed' : 'open'
}

/** 2026-10, so many months before or after. */
export function monthAfter(month: string, by: number): string {
  const [year, number] = month.split('-').map(Number)
  return new Date(Date.UTC(year!, number! - 1 + by, 15)).toISOString().slice(0, 7)
}

/** How many days a month such as 2026-02 has. */
export function daysIn(month: string): number {
  const [year, number] = month.split('-').map(Number)
  return new Date(Date.UTC(year!, number!, 0)).getUTCDate()
}

/** The months from one to another, the newest first; no more than `most`. */
export function monthsBetween(first: string, last: string, most: number): string[] {
  const found: string[] = []
  for (let month = last; month >= first && found.length < most; month = monthAfter(month, -1)) found.push(month)
  return found
}
