// A programme as it is written: what a new one begins with, whether it is whole, and what its rules draw.
import { dayBegins } from '@lib/format'
import type { Days, Decision, Moment, Programme, Rule, Switching, When } from '@lib/plans'
import { nightOf } from './sun'

export const NOON = 720
export const DAY_MIN = 1_440

/** What lies at the bottom where no programme says when the lights come on; as `Switching()` on the post. */
export const SWITCHING: Switching = { sun_deg: -4, evening_min: 0, morning_min: 0, always: false, photocell_min: 0 }

export function everyNight(): When {
  return { weekdays: [], public_holiday: null, eve: null, school_holiday: null, seasons: [], dates: [] }
}

/** The commonest rule: less light in the middle of the night. */
export function freshRule(name: string): Rule {
  const start: Moment = { by: 'clock', minute: 23 * 60 }
  return { name, windows: [{ start, end: { by: 'clock', minute: 5 * 60 }, level: 50 }], when: everyNight() }
}

export function freshProgramme(area: string, rule: string): Programme {
  return {
    name: '',
    rank: 'area',
    area,
    target: { streets: [], classes: [], assets: [], except_classes: [], except_assets: [] },
    rules: [freshRule(rule)],
    switching: null,
    decision: null,
    answer: '',
  }
}

/** Whether nothing is left empty that the post wants to be said. */
export function isWhole(body: Programme): boolean {
  const days = (span: Days): boolean => span.first !== '' && span.last !== ''
  return (
    body.name.trim() !== '' &&
    body.rules.every((rule) => rule.name.trim() !== '' && rule.when.seasons.every(days) && rule.when.dates.every(days)) &&
    (body.decision === null || isDecided(body.decision))
  )
}

/** Its words must all be there; its hours as times are both there, or neither is. */
function isDecided({ dark_from, dark_to, ...words }: Decision): boolean {
  return Object.values(words).every((text) => text.trim() !== '') && (dark_from === null) === (dark_to === null)
}

/** A night's edges, in minutes after its noon. */
export interface Edges {
  dusk: number
  dawn: number
}

/** The edges of a night at a place; the whole day where the lights always burn or the sun never sets. */
export function edgesOf(date: string, lon: number, lat: number, switching: Switching | null): Edges {
  const own = switching ?? SWITCHING
  const noon = dayBegins(date, NOON).getTime()
  const night = own.always ? null : nightOf(noon, lon, lat, own.sun_deg)
  if (!night) return { dusk: 0, dawn: DAY_MIN }
  return {
    dusk: (night.dusk - noon) / 60_000 + own.evening_min,
    dawn: (night.dawn - noon) / 60_000 + own.morning_min,
  }
}

/** A moment in minutes after noon. */
export function minuteOf(moment: Moment, edges: Edges): number {
  if (moment.by === 'clock') return (moment.minute + DAY_MIN - NOON) % DAY_MIN
  return edges[moment.by] + moment.offset_min
}

/** A stretch of a night, in minutes after noon. level: null where a rule leaves it to what lies under it. */
export interface Stretch {
  from: number
  to: number
  level: number | null
}

/** What a rule makes of a night from dusk to dawn. Of two windows at one time the later in the list counts. */
export function stretches(rule: Rule, edges: Edges): Stretch[] {
  const windows = rule.windows
    .map((window) => ({ from: minuteOf(window.start, edges), to: minuteOf(window.end, edges), level: window.level }))
    .filter((window) => window.from < window.to)
  const inside = (minute: number): boolean => minute > edges.dusk && minute < edges.dawn
  const cuts = [...new Set([edges.dusk, edges.dawn, ...windows.flatMap(({ from, to }) => [from, to]).filter(inside)])]
  cuts.sort((a, b) => a - b)
  const found: Stretch[] = []
  for (const [n, from] of cuts.slice(0, -1).entries()) {
    const to = cuts[n + 1]!
    const level = windows.findLast((window) => window.from <= from && window.to >= to)?.level ?? null
    const last = found.at(-1)
    if (last && last.level === level) last.to = to
    else found.push({ from, to, level })
  }
  return found
}
