// Plans as the API tells them, and lighting's programmes among them (services/lighting/programmes/model.py).

export interface Who {
  id: string
  name: string | null
}

export interface PlanRow {
  id: string
  kind: string
  title: string
  area: string
  rank: Rank | ''
  /** What its kind says of it in a list. */
  brief: Record<string, string | number>
  in_force: number | null
  draft: number | null
  editor: Who
  edited: string
  may_write: boolean
  may_approve: boolean
}

export interface PlanKept<B = Programme> {
  version: number
  revision: number
  editor: Who
  edited: string
  approver: Who | null
  approved: string | null
  body: B
}

export interface Plan<B = Programme> extends PlanRow {
  last: number
  in_force_version: PlanKept<B> | null
  draft_version: PlanKept<B> | null
}

export interface Revision {
  version: number
  revision: number
  state: string
  editor: Who
  edited: string
  approver: Who | null
  approved: string | null
  ended: string | null
}

/** Lower in this list is heard over what stands before it. */
export const RANKS = ['class', 'area', 'street', 'event'] as const
export type Rank = (typeof RANKS)[number]

export const CLASSES = [
  ...[1, 2, 3, 4, 5, 6].map((n) => `M${n}`),
  ...[0, 1, 2, 3, 4, 5].map((n) => `C${n}`),
  ...[1, 2, 3, 4, 5, 6, 7].map((n) => `P${n}`),
]

export type Moment = { by: 'clock'; minute: number } | { by: 'dusk' | 'dawn'; offset_min: number }

export interface Window {
  start: Moment
  end: Moment
  level: number
}

/** Both days included. A season's are month and day (07-14), a span's whole dates. */
export interface Days {
  first: string
  last: string
}

export interface When {
  weekdays: number[]
  public_holiday: boolean | null
  eve: boolean | null
  school_holiday: boolean | null
  seasons: Days[]
  dates: Days[]
}

export interface Rule {
  name: string
  windows: Window[]
  when: When
}

export interface Target {
  streets: string[]
  classes: string[]
  assets: string[]
  except_classes: string[]
  except_assets: string[]
}

export interface Switching {
  sun_deg: number
  evening_min: number
  morning_min: number
  always: boolean
  photocell_min: number
}

export interface Decision {
  number: string
  date: string
  signatory: string
  hours: string
  signs: string
  /** The same hours as minutes after midnight, where they are stated so. */
  dark_from: number | null
  dark_to: number | null
}

export interface Programme {
  name: string
  rank: Rank
  area: string
  target: Target
  rules: Rule[]
  switching: Switching | null
  decision: Decision | null
  answer: string
}

/** What a kilowatt-hour costs and weighs (services/lighting/programmes/year.py); null: not said yet. */
export interface Tariff {
  peak_eur_per_kwh: number | null
  off_peak_eur_per_kwh: number | null
  /** Minutes after midnight; both the same: no off-peak hours. */
  off_peak_from: number
  off_peak_to: number
  kg_co2_per_kwh: number
  source: string
}

/** The old inventory and the contract's promise (services/lighting/energy/model.py). */
export interface Baseline {
  lamp_w: number | null
  lamp_w_sd: number
  surveyed: number
  gear: number
  gear_sd: number
  measured: number
  out: number
  out_sd: number
  switching: Switching
  switching_sd_min: number
  meter_class: number
  target: number | null
  source: string
}

export const TRIGGERS = ['motion', 'bus'] as const
export type Trigger = (typeof TRIGGERS)[number]

export interface Hours {
  start: Moment
  end: Moment
}

/** A rule of light on demand (services/lighting/ondemand/model.py). */
export interface OnDemand {
  name: string
  level: number
  triggers: Trigger[]
  area: string
  target: Target
  ahead_m: number
  behind_m: number
  fade_s: number
  hold_s: number
  hours: Hours[]
  when: When
  raises_max: number
  minutes_max: number
  leave: string
  answer: string
}

/** What a rule in force has done since noon; instants in seconds since 1970. */
export interface RuleTonight {
  plan: string
  name: string
  level: number
  triggers: Trigger[]
  hours: [from: number, to: number][]
  now: boolean
  lamps: number
  calls: number
  raises: number
  raised: number
  lit: number
  lamp_hours: number
  last: number | null
  most_raises: number
  most_minutes: number
  spent: number
}

export interface Tonight {
  night: string
  rules: RuleTonight[]
}

/** A plan that is being written; `plan` is the id of what it would take the place of, '' for a new one. */
export interface Draft<B = Programme> {
  body: B
  plan: string
}

export interface Night {
  night: string
  holiday: string
  no: number[]
  group: number[]
  /** Of each group: from, to (seconds since 1970), level, and the index of the programme, -1 for none. */
  spans: [from: number, to: number, level: number, programme: number][][]
  programmes: { id: string; name: string; rank: Rank }[]
}

export interface Opinion {
  layer: string
  name: string
  rank: Rank | ''
  rule: string
  says: string
  level: number | null
  heard: boolean
}

/** A rule of light on demand that may raise a lamp above its programme. */
export interface OnCall {
  plan: string
  name: string
  level: number
  triggers: string[]
  now: boolean
}

export interface Reasons {
  level: number
  night: string
  holiday: string
  on: string
  off: string
  opinions: Opinion[]
  on_demand: OnCall[]
}

export interface YearSum {
  lamps: number
  hours: number
  kwh: number
  eur: number
  kg_co2: number
}

export interface Years {
  year: number
  in_force: { whole: YearSum; unrated: number }
  draft: { whole: YearSum; unrated: number } | null
  tariff: { source: string } | null
}

export interface Finding {
  rule: string
  refuses: boolean
  article: string
  detail: Record<string, string | number>
  assets: string[]
  count: number
}

export interface Checked {
  findings: Finding[]
  /** For how many lamps it speaks, of what speaks for lamps. */
  lamps?: number
}
