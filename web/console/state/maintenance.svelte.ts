// Which batches fail more than others, and the round that a crew is given. The round stays on the map until it is put away.
import { api, Problem } from '@lib/api'
import type { Batches, Round } from '@lib/maintenance'
import type { Bounds } from '@lib/types'
import { mapState } from './map.svelte'
import { notices, problemText } from './notices.svelte'

export interface Start {
  lon: number
  lat: number
}

class Maintenance {
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  batches = $state.raw<Batches | null>(null)
  /** Where the crew begins and ends; null until the map has been asked. */
  start = $state.raw<Start | null>(null)
  hours = $state(7)
  speed = $state(25)
  planning = $state(false)
  round = $state.raw<Round | null>(null)
  /** Where the round that is shown begins: the start may have been set anew since. */
  from = $state.raw<Start | null>(null)
  #asked = 0

  async load(): Promise<void> {
    const asked = ++this.#asked
    this.start ??= mapState.middle()
    try {
      const found = await api.get<Batches>('services/lighting/batches')
      if (asked !== this.#asked) return
      this.batches = found
      this.phase = 'ready'
    } catch (error) {
      if (asked !== this.#asked) return
      this.error = problemText(error instanceof Problem ? error : null)
      this.phase = 'failed'
    }
  }

  /** The middle of the map, as it is now. */
  startHere(): void {
    this.start = mapState.middle()
  }

  async plan(): Promise<void> {
    const { start } = this
    if (!start || this.planning) return
    this.planning = true
    try {
      const asked = { ...start, hours: this.hours, speed_km_h: this.speed }
      this.round = await api.post<Round>('services/lighting/round', asked)
      this.from = start
    } catch (error) {
      notices.problem(error instanceof Problem ? error : null)
    } finally {
      this.planning = false
    }
  }

  /** Puts the round away. */
  clear(): void {
    this.round = null
    this.from = null
  }

  /** What of the town the round passes. */
  get bounds(): Bounds | null {
    const places = this.round && this.from ? [this.from, ...this.round.stops] : []
    if (!places.length) return null
    const lons = places.map(({ lon }) => lon)
    const lats = places.map(({ lat }) => lat)
    return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]
  }
}

export const maintenance = new Maintenance()
