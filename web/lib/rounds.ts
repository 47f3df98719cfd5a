// Rounds as the API tells them (api/roads/rounds.py): circuits in their turn, street by street.

export const STATES = ['late', 'open', 'done_late', 'done'] as const
export type RoundState = (typeof STATES)[number]
export type RoundTask = 'sweeping' | 'salting' | 'collection'

/** The order by which ice has called a circuit out. */
export interface Called {
  case: string
  number: number
  state: string
  due: string
}

export interface Round {
  id: string
  name: string
  task: RoundTask
  area: string
  start: string | null
  due: string | null
  over: boolean
  called: Called | null
  streets: number
  open: number | null
  done: number | null
  late: number | null
  done_late: number | null
}

export interface RoundStreet {
  street: string
  name: string
  way: 'either' | 'along' | 'against' | 'both'
  due: string
  state: RoundState
  share: number
  at: string | null
  vehicle: string | null
  dosage: number | null
}

export interface RoundDetail extends Round {
  of_streets: RoundStreet[]
}

export interface RoundLines {
  version: number
  items: { street: string; line: [lon: number, lat: number][] }[]
}

export interface PastTurn {
  start: string
  due: string
  streets: number
  gaps: { street: string; name: string; share: number }[]
}

export interface ServedHour {
  task: RoundTask
  hour: string
  dosage: number | null
}

/** What a weather station says of the roads now (api/roads/winter.py). */
export interface IceStation {
  station: string
  name: string
  level: 'not_known' | 'none' | 'watch' | 'likely' | 'ice'
  cause: string
  speaks: boolean
  since: string | null
  surface: number | null
  air: number | null
  dew_point: number | null
  humidity: number | null
}

/** A street as the map draws it. */
export interface DrawnStreet {
  state: RoundState
  line: [lon: number, lat: number][]
}
