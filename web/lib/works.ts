// Works in streets, and requests about buried networks, as the API tells them (api/roads/works_forms.py, buried.py).
import type { CaseRow } from './cases'

export type Line = readonly (readonly [lon: number, lat: number])[]

export const ROADWORKS = 'roads.roadworks'
export const BURIED = 'roads.buried'

/** What takes up most comes first. */
export const OCCUPANCIES = ['closure', 'one_way', 'alternating', 'lane', 'parking', 'pavement'] as const
export type Occupancy = (typeof OCCUPANCIES)[number]
export const NATURES = ['network', 'surface', 'building', 'lighting', 'event', 'crane', 'other'] as const
export type Nature = (typeof NATURES)[number]
export const PASSES = ['pedestrians', 'cycles', 'buses', 'emergency'] as const
export type Passing = (typeof PASSES)[number]
export const WAYS = ['either', 'along', 'against'] as const
export type Way = (typeof WAYS)[number]
export const WORKS_STATES = ['requested', 'granted', 'under_way', 'suspended', 'finished', 'refused', 'withdrawn'] as const
export const ACT_STATES = ['needed', 'asked', 'granted', 'refused', 'not_needed'] as const
export type ActState = (typeof ACT_STATES)[number]
export type ActKind = 'permission_de_voirie' | 'permis_de_stationnement' | 'traffic_order'

/** Those of whom traffic must go another way. */
export const TURNS_AWAY: ReadonlySet<Occupancy> = new Set(['closure', 'one_way'])

export interface Stretch {
  street: string
  from_m: number
  to_m: number | null
  way: Way
}

export interface Leg {
  street: string
  way: 'along' | 'against'
}

/** begins, ends: by the town's clock, such as 2026-12-07T08:00. */
export interface Phase {
  begins: string
  ends: string
  stretches: Stretch[]
  occupancy: Occupancy
  hours: string
  passes: Passing[]
}

export interface Act {
  kind: ActKind
  state: ActState
  authority: string
  number: string
  until: string
  /** For whose streets it is; empty where all lie in one area. */
  area: string
}

/** An act that works take, and for which streets. */
export type WantedAct = Pick<Act, 'kind' | 'area'>

export interface Answered {
  clash: string
  text: string
}

/** The document of works. */
export interface Roadworks {
  owner_name: string
  nature: Nature
  networks: string[]
  /** Whether who has them done is an organisation, whose name is published. */
  organisation: boolean
  cuts_surface: boolean
  anchored: boolean
  urgent: boolean
  phases: Phase[]
  diversion: Leg[]
  acts: Act[]
  answers: Answered[]
}

export interface ToldStretch extends Stretch {
  name: string
  line: Line
}

export interface ToldPhase extends Omit<Phase, 'stretches'> {
  now: boolean
  stretches: ToldStretch[]
}

export interface WorksRow {
  case: CaseRow
  owner_name: string
  nature: Nature
  cuts_surface: boolean
  urgent: boolean
  begins: string
  ends: string
  late: 'begin' | 'end' | null
  phases: ToldPhase[]
  clashes: number
  refusing: number
  needs: ActKind[]
  acts: Act[]
}

export interface Clash {
  key: string
  rule: string
  refuses: boolean
  article: string
  detail: Record<string, string | number>
  streets: string[]
  count: number
  other: string | null
  /** Empty for whoever may not read it. */
  answer: string | null
  /** Whether an answer is heard at all. */
  answerable: boolean
}

export interface ToldLeg extends Leg {
  name: string
  line: Line
}

export interface WorksDetail extends WorksRow {
  networks: string[]
  anchored: boolean
  needed: ActKind[]
  wanted: WantedAct[]
  clashing: Clash[]
  answers: Answered[]
  diversion: ToldLeg[]
}

export interface Checks {
  clashing: Clash[]
  needed: ActKind[]
  needs: ActKind[]
}

export interface Detour {
  closed: Leg[]
  closed_m: number
  found: boolean
  length_m: number | null
  legs: ToldLeg[]
}

export interface Detours {
  items: Detour[]
  diversion: Leg[]
}

export interface YearWorks {
  id: string
  number: number
  title: string
  state: string
  owner_name: string
  nature: Nature
}

export interface YearWeek {
  street: string
  name: string
  area: string
  monday: string
  works: number[]
}

export interface Year {
  year: number
  asked_by: string | null
  works: YearWorks[]
  weeks: YearWeek[]
  left_out: number
}

/** A stretch of the inventory (api/roads/stretches.py). */
export interface Street {
  street: string
  name: string
  area: string
  length_m: number
  one_way: boolean
  begins_at: string
  ends_at: string
  line: Line
  at_m: number | null
  away_m: number | null
}

export const ANSWERS = ['concerned', 'not_concerned', 'conditional'] as const

/** The document of a request about buried networks. */
export interface Buried {
  asker_name: string
  /** Whether who asks is an organisation. */
  organisation: boolean
  kind: 'dt' | 'dict'
  number: string
  received: string
  electronic: boolean
  area: [lon: number, lat: number][]
  stretches: Stretch[]
  answer: '' | (typeof ANSWERS)[number]
}

export interface RequestRow {
  case: CaseRow
  document: Buried
  due: string
  overdue: boolean
}

export interface RequestDetail extends RequestRow {
  total: number
  feeders: { id: string | null; name: string; concerned: boolean; fed: number }[]
}
