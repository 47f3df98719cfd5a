// Which batches fail more than others, and the round that a crew is given. The round stays on the map until it is put away,
// or whoever asked for it leaves.
import { api, Problem } from '@lib/api'
import type { Batches, Round } from '@lib/maintenance'
import type { Bounds } from '@lib/types'
import { mapState } from './map.svelte'
import { notices, problemText } from './notices.svelte'

const HOURS = 7
const SPEED_KM_H = 25

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
  hours = $state(HOURS)
  speed = $state(SPEED_KM_H)
  planning = $state(false)
  round = $state.raw<Round | null>(null)
  /** Where the round that is shown begins: the start may have been set anew since. */
  from = $state.raw<Start | null>(null)
  #asked = 0
  #planned = 0

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
    const planned = ++this.#planned
    this.planning = true
    try {
      const asked = { ...start, hours: this.hours, speed_km_h: this.speed }
      const round = await api.post<Round>('services/lighting/round', asked)
      if (planned !== this.#planned) return
      this.round = round
      this.from = start
    } catch (error) {
      if (planned === this.#planned) notices.problem(error instanceof Problem ? error : null)
    } finally {
      if (planned === this.#planned) this.planning = false
    }
  }

  /** Puts the round away. */
  clear(): void {
    this.round = null
    this.from = null
  }

  /** Who comes back, or somebody else, sees nothing of before; what is still on its way is set aside. */
  leave(): void {
    this.#asked += 1
    this.#planned += 1
    this.clear()
    this.phase = 'loading'
    this.batches = null
    this.planning = false
    this.start = null
    this.hours = HOURS
    this.speed = SPEED_KM_H
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
