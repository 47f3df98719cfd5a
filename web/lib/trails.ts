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

/** A time within a fence; without an end where it was still there at the last that is known. */
export interface TrailPassage {
  fence: string
  name: string
  from: string
  to: string | null
}

export interface Trail {
  positions: number
  aside: Record<(typeof ASIDE)[number], number>
  distance_m: number
  stops: TrailStop[]
  fences: TrailPassage[]
  path: [lon: number, lat: number][][]
}
