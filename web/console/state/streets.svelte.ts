// The streets of a market or a circuit that is open: what is known of them, and how presses on the map change them.
import { Problem } from '@lib/api'
import type { Street } from '@lib/works'
import type { PickedStretch } from '../map/works'
import { mapState } from './map.svelte'
import { problemText } from './notices.svelte'
import type { Pick, Picker } from './picking.svelte'
import { streetAt, streetsNamed } from './stretches'
import { NEW, view, type SettingKind } from './view.svelte'
import { boundsOfLines } from './works.svelte'

/** Whose streets they are: read and written where they stand. */
export interface Held {
  readonly kind: SettingKind
  readonly id: string
  readonly ids: readonly string[]
  /** Whether their order counts. */
  readonly ordered?: boolean
  /** Whether they may be changed now. */
  readonly open: boolean
  add: (streets: readonly string[]) => void
  remove: (street: string) => void
  back: () => void
}

class SettingStreets implements Picker {
  readonly how = 'console.settings.pick.how'
  readonly counts = 'console.works.streets'
  known = $state.raw<ReadonlyMap<string, Street>>(new Map())
  picked = $state('')
  #held = $state.raw<Held | null>(null)

  /** They, while what they are of is open: what was looked at before is drawn beside nothing, and no press changes it. */
  readonly #shown = $derived.by((): Held | null => {
    const held = this.#held
    return held && held.kind === view.settings && (held.id || NEW) === view.setting ? held : null
  })

  readonly drawn = $derived.by((): PickedStretch[] => {
    if (!this.#shown || (view.page !== 'settings' && view.page !== 'map')) return []
    const { ids, ordered } = this.#shown
    return ids.flatMap((id, n) => {
      const line = this.known.get(id)?.line ?? []
      return line.length > 1 ? [{ whole: line, part: line, at: false, ...(ordered ? { no: n + 1 } : {}) }] : []
    })
  })

  get count(): number {
    return this.#held?.ids.length ?? 0
  }

  /** Takes up those of what is open, and brings them into view. */
  async hold(held: Held): Promise<void> {
    this.#held = held
    const { ids } = held
    await this.learnOf(ids)
    const bounds = boundsOfLines(ids.map((id) => this.known.get(id)?.line ?? []))
    if (bounds && this.#held === held && view.page === 'settings') mapState.fit(bounds)
  }

  /** Who works here leaves: nothing of it is for the next one. */
  drop(): void {
    this.#held = null
    this.picked = ''
    this.known = new Map()
  }

  learn(found: readonly Street[]): void {
    this.known = new Map([...this.known, ...found.map((each): [string, Street] => [each.street, each])])
  }

  add(found: readonly Street[]): void {
    const held = this.#held
    if (!held) return
    this.learn(found)
    const own = new Set(held.ids)
    held.add(found.map((each) => each.street).filter((id) => !own.has(id)))
  }

  async pick(lon: number, lat: number): Promise<Pick> {
    const held = this.#shown
    if (!held?.open) return 'none'
    try {
      const street = await streetAt(lon, lat)
      if (!street) return 'none'
      this.picked = street.name || street.street
      if (held.ids.includes(street.street)) {
        held.remove(street.street)
        return 'removed'
      }
      this.add([street])
      return 'added'
    } catch (error) {
      this.picked = problemText(error instanceof Problem ? error : null)
      return 'failed'
    }
  }

  drag(): void {
    // Whole stretches are picked: none of them has a handle.
  }

  back(): void {
    this.#held?.back()
  }

  /** Asks what they are called and where they lie. */
  async learnOf(ids: readonly string[]): Promise<void> {
    try {
      await streetsNamed(ids.filter((id) => !this.known.has(id)), (found) => this.learn(found))
    } catch {
      // they are named by their ids, and not drawn
    }
  }
}

export const streets = new SettingStreets()
