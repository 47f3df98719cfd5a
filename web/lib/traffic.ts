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
