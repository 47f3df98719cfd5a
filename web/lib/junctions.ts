// Junctions as the post tells them, and what is drawn of them: the ribbon of what signal groups showed, and the ways of
// a stage. Pure: times are milliseconds since 1970.
import type { Level } from './traffic'
import type { Reading } from './types'

export interface Finding {
  rule: string
  refuses: boolean
  article: string
  detail: Record<string, string | number>
}

/** The level of service at a junction, from so many of the detectors before it; null where it is not known. */
export interface JunctionLevel {
  worst: Level | null
  worst_at: string | null
  mean: Level | null
  measured: number
  counted: number
  at: string | null
}

export interface JunctionRow {
  id: string
  name: string
  area: string
  control: Reading | null
  mode: Reading | null
  /** The number of the plan that runs. */
  running: Reading | null
  /** Why the post leaves it to its plan though it was ordered to steer it. */
  fallen: string | null
  level: JunctionLevel | null
  /** 1 to 3 an alarm's priority, 4 maintenance alone, 0 nothing. */
  worst: number
  conditions: { condition: string; state: string; raised: string }[]
  plan: string | null
  version: number | null
  draft: number | null
  findings: Finding[]
}

export interface SignalGroup {
  name: string
  users: 'vehicles' | 'bus' | 'tram' | 'cycles' | 'pedestrians'
}

export interface Movement {
  group: number
  approach: string
  exit: string
  comes_deg: number | null
  leaves_deg: number | null
}

export interface Detector {
  name: string
  lane: string
  from_stop_m: number
  length_m: number
}

export interface Stage {
  name: string
  greens: number[]
}

export interface JunctionDocument {
  asset: string
  area: string
  answer: string
  site: {
    junction: {
      groups: SignalGroup[]
      movements: Movement[]
      detectors: Detector[]
      stages: Stage[]
    }
    plan: { offset_s: number; steps: { seconds: number; greens: number[]; clears: boolean }[] }
    /** For each group that walks, the detectors by which walkers ask, by their places; empty where nobody walks. */
    buttons: number[][]
  }
}

export interface JunctionTold extends JunctionRow {
  document: JunctionDocument | null
  since: string | null
  cycle: Cycle | null
}

/** One cycle of a plan: of each group a letter a second; it begins offset_s after a whole number of cycles since 1970. */
export interface Cycle {
  offset_s: number
  groups: string[]
}

/** A rule of the safety kernel that was held against something, and whose: groups by name. */
export interface Held {
  rule: string
  groups: string[]
  is_s: number | null
  limit_s: number | null
}

/** Why the post decides on stages or does not, and what its last choice was made of. Stages count from 1. */
/** Somebody who comes with a right to go first; vehicle, name and late_s are null where one may not see which. */
export interface Going {
  sort: 'bus' | 'tram' | 'emergency'
  vehicle: string | null
  name: string | null
  groups: string[]
  comes_deg: number
  eta_s: number
  late_s: number | null
  state: string
  /** Whether a person has ordered that its way be cleared. */
  escorted: boolean
}

export type EscortState = 'coming' | 'open' | 'waits' | 'unserved' | 'passed'

/** A vehicle whose way is being cleared, and the junctions on it. */
export interface Escort {
  vehicle: string
  name: string
  order: string
  since: string
  until: string
  actor: { id: string; name: string | null }
  reason: string
  lost: boolean
  routed: boolean
  junctions: { id: string; name: string; state: EscortState; eta_s: number | null }[]
  may_end: boolean
}

export interface Deciding {
  decides: 'adaptive' | 'plan' | 'priority'
  ordered: boolean
  because: string
  since: string | null
  weighed: {
    stage: number | null
    chosen: number
    asked: number | null
    stay_cost_veh_s: number | null
    change_cost_veh_s: number | null
    refused: Held | null
  } | null
  going: Going[]
  broken: Held[]
  /** What each detector of the document has told, in its order; empty where the post hears none. */
  counted: Counted[]
}

/** A detector: vehicles that left it in the last minute and the part of it in which somebody was on it; whether somebody
    waits at a button; and when it told anything last that counts. faulty: its controller says that it is. */
export interface Counted {
  vehicles: number | null
  occupancy_pct: number | null
  asks: boolean | null
  at: string | null
  silent: boolean
  faulty: boolean
}

/** What all groups of a junction showed from an instant on: a letter for each (see the kind's `groups`). */
export interface Shown {
  at: number
  letters: string
}

/** What one group showed for a while; null where nothing was heard that is still true. */
export interface Stretch {
  from: number
  to: number
  letter: string | null
}

/** No yellow is longer: one that seems to be was followed by something that nobody heard. */
const YELLOW_MS_MAX = 10_000

/** Reports in the order of time, each instant once: what was heard first stands. Older than `since` is dropped, but the
    last before it, which may be true at that time. */
export function merged(old: readonly Shown[], fresh: readonly Shown[], since: number): Shown[] {
  const byInstant = new Map<number, string>()
  for (const each of [...old, ...fresh]) if (!byInstant.has(each.at)) byInstant.set(each.at, each.letters)
  const all = [...byInstant].map(([at, letters]) => ({ at, letters })).sort((a, b) => a.at - b.at)
  const first = all.findLastIndex((each) => each.at <= since)
  return first > 0 ? all.slice(first) : all
}

/** What one group showed from `from` to `to`, without a hole: a report is true until the next one, at most for
    `valid`, and not beyond `heard`, the last instant at which anything could be heard. */
export function stretches(
  shown: readonly Shown[],
  group: number,
  from: number,
  to: number,
  valid: number,
  heard: number,
): Stretch[] {
  const found: Stretch[] = []
  const put = (start: number, end: number, letter: string | null): void => {
    const [a, b] = [Math.max(start, from), Math.min(end, to)]
    if (b <= a) return
    const last = found.at(-1)
    if (last && last.letter === letter) last.to = b
    else found.push({ from: a, to: b, letter })
  }
  let told = from
  shown.forEach(({ at, letters }, index) => {
    const letter = letters[group] ?? null
    const next = shown[index + 1]?.at ?? Infinity
    const before = found.at(-1)
    const since = before?.letter === letter && before.to === at ? before.from : at
    const most = letter === 'Y' || letter === 'U' ? since + YELLOW_MS_MAX : at + valid
    const end = Math.min(next, most, Math.max(heard, at))
    put(told, at, null)
    put(at, end, letter)
    told = Math.max(told, end)
  })
  put(told, to, null)
  return found
}

/** What one group showed at an instant, and since when as far as is known; null where that is not known. */
export function at(stretches: readonly Stretch[], instant: number): Stretch | null {
  const found = stretches.find((each) => each.from <= instant && instant < each.to) ?? stretches.at(-1)
  return found && found.letter !== null ? found : null
}

/** How much of the known time a group was green, from 0 to 1; null where nothing is known. */
export function greenShare(stretches: readonly Stretch[]): number | null {
  let known = 0
  let green = 0
  for (const { from, to, letter } of stretches) {
    if (letter === null) continue
    known += to - from
    if (letter === 'G') green += to - from
  }
  return known > 0 ? green / known : null
}

/** The stage that the groups show: its greens are green and nobody else is. Null between two stages. */
export function stageShown(stages: readonly Stage[], letters: string): number | null {
  const green = [...letters].flatMap((letter, group) => (letter === 'G' ? [group] : []))
  const found = stages.findIndex(({ greens }) => greens.length === green.length && green.every((each) => greens.includes(each)))
  return found < 0 || !green.length ? null : found
}

/** What a junction as a whole does for some seconds of a cycle: goes for a stage, by its place; shows all red; or clears. */
export interface Piece {
  from: number
  to: number
  shows: number | 'all_red' | 'changing'
}

/** The stages of a plan in their order, and what is between them, in seconds from its beginning: what its steps wish, and
    all red where that is what the signals show. */
export function stagesOf(stages: readonly Stage[], steps: JunctionDocument['site']['plan']['steps'], cycle: Cycle): Piece[] {
  const found: Piece[] = []
  const put = (second: number, shows: Piece['shows']): void => {
    const last = found.at(-1)
    if (last?.shows === shows) last.to = second + 1
    else found.push({ from: second, to: second + 1, shows })
  }
  let second = 0
  for (const { seconds, greens, clears } of steps) {
    const stage = stages.findIndex((each) => each.greens.length === greens.length && greens.every((group) => each.greens.includes(group)))
    for (const end = second + seconds; second < end; second += 1) {
      const red = cycle.groups.every((each) => each[second] === 'R')
      put(second, red ? 'all_red' : clears || stage < 0 ? 'changing' : stage)
    }
  }
  return found
}

/** A lane before its stop line in a drawing around (0, 0): where it begins and where it stops, and its groups. */
export interface ArmLane {
  lane: string
  from: Spot
  stop: Spot
}

export type Spot = readonly [x: number, y: number]

export interface Way {
  group: number
  walks: boolean
  /** Of walkers: over which line they walk. */
  from: Spot
  to: Spot
  lane: string
}

export interface Drawing {
  lanes: ArmLane[]
  ways: Way[]
  /** Whether the arms are where they are in the street; else they stand in the document's order. */
  true: boolean
}

const FAR = 54
const STOP = 26
const WIDE = 7

/** The document's lanes and ways, drawn around a middle, north up. */
export function drawn(groups: readonly SignalGroup[], movements: readonly Movement[]): Drawing {
  const walks = (group: number): boolean => groups[group]?.users === 'pedestrians'
  const known = movements.every((each) => each.comes_deg !== null && each.leaves_deg !== null)
  const roads = [...new Set(movements.filter((each) => !walks(each.group)).map((each) => road(each.approach)))]
  const comes = (each: Movement): number =>
    known ? each.comes_deg! : ((roads.indexOf(road(each.approach)) + 0.5) * 360) / Math.max(1, roads.length)
  const arms = new Map<string, number>()
  const lanes = new Map<string, number>()
  for (const each of movements) {
    if (walks(each.group)) continue
    arms.set(road(each.approach), comes(each))
    lanes.set(each.approach, comes(each))
  }
  const of = (lane: string): number => {
    const beside = [...lanes.keys()].filter((each) => road(each) === road(lane)).sort()
    return beside.length - 1 - beside.indexOf(lane)
  }
  const placed = [...lanes].map(([lane, deg]) => {
    const aside = (of(lane) + 0.5) * WIDE
    return { lane, from: spot(deg, FAR, aside), stop: spot(deg, STOP, aside) }
  })
  const byLane = new Map(placed.map((each) => [each.lane, each]))
  const ways = movements.flatMap((each): Way[] => {
    if (walks(each.group)) {
      if (!known) return []
      const deg = each.comes_deg!
      return [{ group: each.group, walks: true, from: spot(deg, STOP + 8, -18), to: spot(deg, STOP + 8, 18), lane: each.approach }]
    }
    const stop = byLane.get(each.approach)!.stop
    const to: Spot = known ? spot(each.leaves_deg!, FAR - 8, -0.5 * WIDE) : [0, 0]
    return [{ group: each.group, walks: false, from: stop, to, lane: each.approach }]
  })
  return { lanes: placed, ways, true: known }
}

export const SIDES = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const
export const TURNS = ['left', 'ahead', 'right', 'back'] as const

/** Where a group's ways come from, and which way they turn; null where that is not known. */
export function courseOf(
  movements: readonly Movement[],
  group: number,
): { side: (typeof SIDES)[number]; turns: (typeof TURNS)[number][] } | null {
  const own = movements.filter((each) => each.group === group)
  if (!own.length || own.some((each) => each.comes_deg === null || each.leaves_deg === null)) return null
  const side = SIDES[Math.round(own[0]!.comes_deg! / 45) % 8]!
  const turns = new Set(
    own.map(({ comes_deg, leaves_deg }): (typeof TURNS)[number] => {
      const by = ((leaves_deg! - comes_deg! + 720) % 360) - 180
      if (Math.abs(by) > 150) return 'back'
      return by > 30 ? 'right' : by < -30 ? 'left' : 'ahead'
    }),
  )
  return { side, turns: TURNS.filter((each) => turns.has(each)) }
}

/** The road that a lane is one of: its name without the number. */
export function road(lane: string): string {
  return lane.replace(/_\d+$/, '')
}

/** A place so far from the middle towards `deg`, and so far to the right of who drives to the middle. */
function spot(deg: number, far: number, aside: number): Spot {
  const angle = (deg * Math.PI) / 180
  const [x, y] = [Math.sin(angle), -Math.cos(angle)]
  return [x * far + y * aside, y * far - x * aside]
}
