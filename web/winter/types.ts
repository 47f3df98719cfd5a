// What everybody is told, as the API says it (api/roads/salted.py).

export type Line = [lon: number, lat: number][]

export interface SaltedStreet {
  name: string
  area: string
  at: string
  lines: Line[]
}

export interface Salted {
  as_of: string
  hours: number
  streets: SaltedStreet[]
}

export interface GroundStreet {
  name: string
  area: string
  main: boolean
  lines: Line[]
}

export interface Ground {
  city: string
  zone: string
  whole: boolean
  areas: { name: string; rings: Line[] }[]
  streets: GroundStreet[]
}

/** How long ago a street was salted: each has a line of its own, in width and in dashes; colour only says it again. */
export const AGES = ['fresh', 'hours', 'old'] as const
export type Age = (typeof AGES)[number]

export const LINES: Readonly<Record<Age, { width: number; dash: number[] }>> = {
  fresh: { width: 6, dash: [] },
  hours: { width: 4, dash: [10, 5] },
  old: { width: 3, dash: [2, 5] },
}

const HOUR_MS = 3_600_000

export function ageOf(at: string, now: number): Age {
  const hours = (now - Date.parse(at)) / HOUR_MS
  return hours < 3 ? 'fresh' : hours < 12 ? 'hours' : 'old'
}
