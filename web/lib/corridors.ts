// Corridors as the post tells them, and what is drawn of them: what the groups that are driven by showed, and the bands of
// whoever met nothing but green. Pure: times are milliseconds since 1970.
import { stretches, type Cycle, type Movement, type Shown, type SignalGroup, type Stretch } from './junctions'

export interface CorridorJunction {
  id: string
  name: string
  /** From the first junction, from stop line to stop line. */
  metres: number
}

export interface CorridorRow {
  id: string
  junctions: CorridorJunction[]
}

export interface Passing {
  junction: string
  groups: number[]
  after_s: number
}

export interface Way {
  direction: 'there' | 'back'
  /** In the order in which they are passed. */
  passed: Passing[]
  speed_m_s: number | null
}

export interface Described {
  groups: SignalGroup[]
  movements: Movement[]
  cycle: Cycle | null
}

export interface Corridor extends CorridorRow {
  ways: Way[]
  described: Described[]
}

/** When one may pass the first stop line of a direction and meet nothing but green. */
export interface Band {
  from: number
  to: number
}

export interface Bands {
  bands: Band[]
  /** For how much of the time that is known at all junctions a band was open, from 0 to 1; null where none is. */
  share: number | null
}

/** Whether one can drive a direction from end to end: some lane leads through at each junction. */
export function isDriven({ passed, speed_m_s }: Way): boolean {
  return speed_m_s !== null && passed.every(({ groups }) => groups.length > 0)
}

/** What several groups show together to whoever needs green of all of them: green, else the first that is not. */
export function together(letters: string, groups: readonly number[]): string | null {
  const own = groups.map((group) => letters[group])
  if (!own.length || own.includes(undefined)) return null
  return own.find((letter) => letter === 'R') ?? own.find((letter) => letter !== 'G') ?? 'G'
}

/** What some groups of a junction showed together, without a hole. count: how many groups the junction has; a report of
    another number says nothing of them. */
export function shownBy(
  shown: readonly Shown[],
  groups: readonly number[],
  count: number,
  from: number,
  to: number,
  valid: number,
  heard: number,
): Stretch[] {
  const told = shown.map(({ at, letters }) => ({
    at,
    letters: (letters.length === count && together(letters, groups)) || '',
  }))
  return stretches(told, 0, from, to, valid, heard)
}

/** What some groups show together under a plan, as it goes round on the clock. */
export function plannedBy(cycle: Cycle | null, groups: readonly number[], from: number, to: number): Stretch[] {
  const length = cycle?.groups[0]?.length ?? 0
  if (!cycle || !length) return [{ from, to, letter: null }]
  const found: Stretch[] = []
  for (let second = Math.floor(from / 1000); second * 1000 < to; second += 1) {
    const into = (((second - cycle.offset_s) % length) + length) % length
    const letter = together(cycle.groups.map((each) => each[into]).join(''), groups)
    const last = found.at(-1)
    const [a, b] = [Math.max(from, second * 1000), Math.min(to, (second + 1) * 1000)]
    if (last && last.letter === letter) last.to = b
    else found.push({ from: a, to: b, letter })
  }
  return found
}

/** The bands of a direction. rows: what each junction showed to who drives along, in the order in which they are passed;
    after: how long after the first each is passed, in ms. Who would pass one at a time of which nothing is known drove
    in no band, and that time is no part of the share. */
export function bandsOf(rows: readonly (readonly Stretch[])[], after: readonly number[]): Bands {
  const kept = (wanted: (letter: string) => boolean): Band[] =>
    rows
      .map((row, at) => {
        const early = after[at] ?? 0
        const own = row.filter(({ letter }) => letter !== null && wanted(letter))
        return joined(own.map(({ from, to }) => ({ from: from - early, to: to - early })))
      })
      .reduce(both)
  if (!rows.length) return { bands: [], share: null }
  const whole = lasting(kept(() => true))
  const bands = kept((letter) => letter === 'G')
  return { bands, share: whole > 0 ? lasting(bands) / whole : null }
}

/** How long some times last together. */
export function lasting(times: readonly Band[]): number {
  return times.reduce((sum, { from, to }) => sum + to - from, 0)
}

/** What is in both of two lists of times that are in order and apart. */
function both(one: readonly Band[], other: readonly Band[]): Band[] {
  const found: Band[] = []
  let [i, j] = [0, 0]
  while (i < one.length && j < other.length) {
    const [a, b] = [one[i]!, other[j]!]
    const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)]
    if (from < to) found.push({ from, to })
    if (a.to < b.to) i += 1
    else j += 1
  }
  return found
}

/** Times that follow each other at once, as one. */
function joined(times: Band[]): Band[] {
  const found: Band[] = []
  for (const each of times) {
    const last = found.at(-1)
    if (last && last.to >= each.from) last.to = each.to
    else found.push({ ...each })
  }
  return found
}

/** Where labels go that must not be written over each other: as near as can be to where they belong, `apart` from each
    other at least, within 0 and `high`. wanted: in ascending order. */
export function spread(wanted: readonly number[], apart: number, high: number): number[] {
  const found = [...wanted]
  found.forEach((each, at) => {
    found[at] = Math.max(each, at ? found[at - 1]! + apart : 0)
  })
  for (let at = found.length - 1; at >= 0; at -= 1) {
    const most = at === found.length - 1 ? high : found[at + 1]! - apart
    found[at] = Math.min(found[at]!, most)
  }
  return found
}

/** The name of the street that junctions lie on, where their names tell: they are called after the streets that cross
    there, "one / other". Null where no street is in more than half of them. */
export function streetOf(names: readonly string[]): string | null {
  const streets = names.flatMap((name) => [...new Set(name.split(' / '))])
  const times = (street: string): number => streets.filter((each) => each === street).length
  const best = streets.reduce<string | null>((one, other) => (one === null || times(other) > times(one) ? other : one), null)
  return best !== null && names.length > 1 && times(best) > names.length / 2 ? best : null
}

/** Of a junction that is called after two streets of which one is given, the other. */
export function crossOf(name: string, street: string | null): string {
  const own = name.split(' / ')
  return (street !== null && own.includes(street) && own.find((each) => each !== street)) || name
}
