// Batches of luminaires and a crew's round, as the API tells them (services/lighting/maintenance/report.py).

export interface Batch {
  lamp: string
  power: number | null
  year: string
  lamps: number
  years: number
  failed: number
  out: number
  drifting: number
  rate: number
  low: number
  high: number
  expected: number
  worse: boolean
}

export interface Batches {
  since: string | null
  town: number
  lamps: number
  total: number
  batches: Batch[]
}

export interface Stop {
  no: number
  id: string
  kind: string
  street: string
  area: string
  lon: number
  lat: number
  conditions: string[]
  worth: number
  travel_min: number
  travel_m: number
  arrive_min: number
  work_min: number
}

export interface Round {
  stops: Stop[]
  open: number
  considered: number
  worth: number
  worth_all: number
  travel_km: number
  work_min: number
  back_min: number
}
