// The fences on the map while their settings are looked at: those in force, and the one that is open, whose corners are set,
// drawn elsewhere and taken back there.
import { api } from '@lib/api'
import type { Plan, PlanRow } from '@lib/plans'
import type { Corner, Fence } from '@lib/settings'
import { rounded } from './corners'
import { mapState } from './map.svelte'
import type { Pick, Picker } from './picking.svelte'
import { fences as list } from './plans.svelte'
import { selection } from './selection.svelte'
import { CORNERS_MIN } from './settings'
import { view } from './view.svelte'
import { boundsOfLines } from './works.svelte'

/** As many as the post takes. */
export const CORNERS_MAX = 200
/** So many of those in force are drawn: each is asked for by itself. */
const DRAWN_MAX = 60

export interface DrawnFence {
  name: string
  corners: readonly Corner[]
  /** It is open. */
  open: boolean
  /** Its corners can be drawn elsewhere. */
  at: boolean
}

/** Whose corners they are: read and written where they stand. */
export interface HeldFence {
  readonly id: string
  readonly name: string
  readonly corners: readonly Corner[]
  /** Whether they may be changed now. */
  readonly open: boolean
  put: (corners: Corner[]) => void
  back: () => void
}

class FenceCorners implements Picker {
  readonly how = 'console.settings.fence.how'
  readonly counts = 'console.settings.fence.corners'
  /** No stretch of a street is picked. */
  readonly drawn = []
  picked = $state('')
  #held = $state.raw<HeldFence | null>(null)
  #inForce = $state.raw<ReadonlyMap<string, { version: number; fence: Fence }>>(new Map())

  /** As the map draws them, the open one last. */
  readonly shown = $derived.by((): DrawnFence[] => {
    if (view.settings !== 'fence' || (view.page !== 'settings' && (view.page !== 'map' || view.setting === null))) return []
    const held = view.setting === null ? null : this.#held
    const rows = list.rows.flatMap((row) => (row.id === held?.id ? [] : (this.#inForce.get(row.id)?.fence ?? [])))
    const others = rows.map(({ name, corners }): DrawnFence => ({ name, corners, open: false, at: false }))
    return held ? [...others, { name: held.name, corners: held.corners, open: true, at: held.open }] : others
  })

  get count(): number {
    return this.#held?.corners.length ?? 0
  }

  /** Takes up the one that is open, and brings it into view. */
  hold(held: HeldFence): void {
    this.#held = held
    const bounds = boundsOfLines([held.corners])
    if (bounds && view.page === 'settings') mapState.fit(bounds)
  }

  /** Who works here leaves: nothing of it is for the next one. */
  drop(): void {
    this.#held = null
    this.#inForce = new Map()
  }

  /** Asks for those in force that are not known as they stand. */
  async learn(rows: readonly PlanRow[]): Promise<void> {
    const standing = rows.filter((row) => row.in_force !== null).slice(0, DRAWN_MAX)
    this.#inForce = new Map([...this.#inForce].filter(([id, { version }]) => standing.some((row) => row.id === id && row.in_force === version)))
    await Promise.all(standing.filter((row) => !this.#inForce.has(row.id)).map((row) => this.#learnOf(row.id)))
  }

  /** A press sets a corner after the last. */
  async pick(lon: number, lat: number): Promise<Pick> {
    const held = this.#held
    if (!held || !this.shown.some((each) => each.at) || held.corners.length >= CORNERS_MAX) return 'none'
    held.put([...held.corners, rounded(lon, lat)])
    return 'added'
  }

  /** A press on a corner that is there: on the first it ends the drawing. */
  pressed(index: number): void {
    if (index !== 0 || this.count < CORNERS_MIN) return
    selection.tool = 'none'
    this.back()
  }

  drag(index: number, _: boolean, lon: number, lat: number): void {
    const held = this.#held
    if (held?.open) held.put(held.corners.map((each, n) => (n === index ? rounded(lon, lat) : each)))
  }

  undo(): void {
    const held = this.#held
    if (held?.open) held.put(held.corners.slice(0, -1))
  }

  back(): void {
    this.#held?.back()
  }

  async #learnOf(id: string): Promise<void> {
    try {
      const { in_force_version: kept } = await api.get<Plan<Fence>>(`plans/${id}`)
      if (kept) this.#inForce = new Map([...this.#inForce, [id, { version: kept.version, fence: kept.body }]])
    } catch {
      // it is in the list, and not drawn
    }
  }
}

export const fences = new FenceCorners()
