// How luminaires stand to the order of 27 December 2018, as the API tells it (services/lighting/compliance/report.py).
import type { Finding } from './plans'

export interface RuleFound {
  rule: string
  article: string
  lamps: number
}

export interface AreaFound {
  area: string
  lamps: number
  judged: number
  found: number
  rules: Record<string, number>
}

export interface LampFound {
  no: number
  id: string
  street: string
  area: string
  lon: number
  lat: number
  findings: Finding[]
}

export interface Compliance {
  lamps: number
  judged: number
  found: number
  rules: RuleFound[]
  areas: AreaFound[]
  total: number
  items: LampFound[]
  next: number | null
}
