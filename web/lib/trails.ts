// A vehicle's trail as the API tells it (api/roads/trails.py).

export const ASIDE = ['nowhere', 'future', 'stale', 'jumps', 'off_street'] as const

export interface TrailStop {
  from: string
  to: string
  lon: number
  lat: number
  street: string | null
  name: string | null
}

export interface Trail {
  positions: number
  aside: Record<(typeof ASIDE)[number], number>
  distance_m: number
  stops: TrailStop[]
  path: [lon: number, lat: number][][]
}
