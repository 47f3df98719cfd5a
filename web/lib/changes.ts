// Changes of a junction and what came of them, as the post tells them; and how a difference is drawn. Pure.
import type { Value } from './types'

export interface Change {
  id: string
  what: 'document' | 'withdrawn' | 'order'
  at: string
  who: { id: string; name: string | null } | null
  version: number | null
  action: string | null
  params: Record<string, Value>
  state: string | null
}

export type Verdict = 'better' | 'worse' | 'more' | 'less' | 'cannot be told apart' | 'the same' | 'not enough yet'

export interface Figure {
  figure: string
  unit: string
  says: Verdict
  days: number
  hours: number
  unmeasured: number
  unlike: number
  before: number | null
  after: number | null
  difference: number | null
  /** The ends of the interval of 95 %. */
  low: number | null
  high: number | null
}

/** A figure of both sides of a simulated comparison. */
export interface Foretold {
  before: number
  after: number
  difference: number
  low: number | null
  high: number | null
  says: string
}

/** A comparison that was simulated before the change, as it concerns the junction. */
export interface Comparison {
  id: string
  made: string
  holds: boolean
  stands: 'passes' | 'fails' | 'other' | 'old'
  seeds: number
  calibration: { counts: number; met_share: number } | null
  delay: Foretold | null
  queue: Foretold | null
}

export interface After {
  change: Change
  days: number
  before_from: string
  before_to: string
  after_from: string
  after_to: string
  counters: { id: string; name: string; street: string }[]
  others: number
  hours: number
  unmatched: number
  school: number
  days_min: number
  hours_min: number
  figures: Figure[]
  foretold: Comparison | null
}

/** A difference on a scale of 0 to 100 with nothing in its middle: where its interval begins and ends, and where it is. */
export function scaled(difference: number, low: number, high: number): { from: number; to: number; at: number } {
  // A tenth is left on both sides, so that what reaches furthest is seen to end.
  const most = Math.max(Math.abs(low), Math.abs(high), Math.abs(difference)) || 1
  const place = (value: number): number => 50 + (40 * value) / most
  return { from: place(low), to: place(high), at: place(difference) }
}
