// Rounds of work orders, as the API proposes and judges them.
import type { CaseAsset, CaseRow } from './cases'

export interface Stop {
  case: CaseRow
  arrival: string
  start: string
  leave: string
}

export interface Round {
  crew: CaseAsset
  leave: string
  back: string
  distance_m: number
  drive_s: number
  /** What the crew has begun, which stays with it. */
  under_way: CaseRow[]
  stops: Stop[]
  /** What it has to do besides, and keeps. */
  given: Stop[]
}

export interface Finding {
  rule: string
  crew: string | null
  case: string | null
  over: number
  skill: string | null
  for_people: boolean
}

export interface Rounds {
  day: string
  rounds: Round[]
  left: { case: CaseRow; why: string }[]
  findings: Finding[]
  moved: { case: string; was: string; now: string | null; forced: boolean }[]
  /** So many orders more wait that are not planned. */
  beyond: number
}

/** Of each crew, its work orders in their order, by their ids. */
export type Orders = Record<string, string[]>

/** A work order goes to a place of a crew's round, or into none (crew ""). */
export function moved(orders: Orders, id: string, crew: string, at = Number.POSITIVE_INFINITY): Orders {
  const rest = Object.fromEntries(Object.entries(orders).map(([name, own]) => [name, own.filter((each) => each !== id)]))
  if (!crew) return rest
  const own = [...(rest[crew] ?? [])]
  own.splice(Math.max(0, Math.min(at, own.length)), 0, id)
  return { ...rest, [crew]: own }
}
