// The targets of the order that is open, each with how far it is: the map shows them, so that the proof is seen to arrive.
import { api } from '@lib/api'
import type { Page, Target } from '@lib/types'
import { learn } from '../map/places'

/** How a target is drawn. `meant`: no order yet, it is only selected. */
export type Step = 'meant' | 'waiting' | 'sent' | 'proved' | 'failed'

const STEPS: Record<string, Step> = {
  waiting: 'waiting',
  sent: 'sent',
  accepted: 'sent',
  done: 'proved',
  done_late: 'proved',
  returned: 'proved',
  released: 'proved',
  already: 'proved',
}

const PAGE = 500
const TARGETS_MAX = 2_000

class Targets {
  /** Steps by asset number. */
  steps = $state.raw<ReadonlyMap<number, Step>>(new Map())
  #id: string | null = null
  #asked = 0

  /** Follows an order, or none. Asked for again whenever its counts have changed. */
  async follow(id: string | null): Promise<void> {
    const asked = ++this.#asked
    if (id !== this.#id) this.steps = new Map()
    this.#id = id
    if (id === null) return
    const steps = new Map<number, Step>()
    let cursor: string | null = null
    try {
      do {
        const page: Page<Target> = await api.get(`commands/${encodeURIComponent(id)}/targets`, { limit: PAGE, cursor })
        for (const { asset, state } of page.items) {
          learn(asset)
          steps.set(asset.no, STEPS[state] ?? 'failed')
        }
        cursor = page.next
      } while (cursor && steps.size < TARGETS_MAX && asked === this.#asked)
    } catch {
      return // what is shown stays; the next change asks again
    }
    if (asked === this.#asked) this.steps = steps
  }
}

export const targets = new Targets()
