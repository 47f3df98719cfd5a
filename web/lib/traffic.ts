// What the API tells of traffic.

export interface Outlook {
  id: string
  last: number | null
  usual: number
  vehicles: number
  low: number
  high: number
}

export interface Forecast {
  state: 'reading' | 'learning' | 'ready'
  done: number
  days: number
  wanted: number
  start: string | null
  end: string | null
  detectors: Outlook[]
}

export const LEVELS = ['A', 'B', 'C', 'D', 'E', 'F'] as const
export type Level = (typeof LEVELS)[number]

export interface StreetTraffic {
  detector: string
  street: string
  name: string
  line: [number, number][]
  both: boolean
  flow: number | null
  speed: number | null
  free_speed: number
  occupancy: number | null
  density: number | null
  level: Level | null
}

export interface Streets {
  at: string
  streets: StreetTraffic[]
}
