// What is set by hand for the roads, as plans hold it: markets and events, the year's day (services/roads/works), circuits
// (services/roads/rounds), fences (services/roads/fences.py).
import type { RoundTask } from './rounds'

export interface Occasion {
  name: string
  kind: 'market' | 'event'
  streets: string[]
  area: string
  hours: string
  first: string
  last: string
  answer: string
}

export interface Coordination {
  year: number
  asked_by: string
  area: string
  answer: string
}

export const TASKS = ['sweeping', 'salting', 'collection'] as const
export const CIRCUIT_WAYS = ['either', 'along', 'against', 'both'] as const
export type CircuitWay = (typeof CIRCUIT_WAYS)[number]

/** A street of a circuit; due_min: minutes from the beginning of a turn by which it is to be done, null for its end. */
export interface CircuitStreet {
  street: string
  way: CircuitWay
  due_min: number | null
}

export interface Circuit {
  name: string
  task: RoundTask
  streets: CircuitStreet[]
  area: string
  hours: string
  station: string
  answer: string
}

export const WORK_CATEGORIES = ['lighting', 'signals', 'cameras', 'air', 'surface', 'signs', 'cleaning', 'waste', 'green', 'winter', 'other'] as const
export type WorkCategory = (typeof WORK_CATEGORIES)[number]

/** Work that comes again at each asset of a kind (services/roads/preventive). skills: null for what the category asks. */
export interface Preventive {
  name: string
  kind: string
  category: WorkCategory
  every_days: number
  since: string
  ahead_days: number
  priority: number
  area: string
  takes_min: number
  skills: string[] | null
  checklist: string[]
  hours: string
  answer: string
}

export type Corner = readonly [lon: number, lat: number]

/** A part of the town of which is asked which vehicles were in it. corners: in degrees, around it. */
export interface Fence {
  name: string
  corners: Corner[]
  area: string
  answer: string
}
