// What the order of 27 December 2018 has against luminaires: the sums of the whole town, and the list that was asked for.
import { address, api, Problem } from '@lib/api'
import type { AreaFound, Compliance, LampFound, RuleFound } from '@lib/compliance'
import { live } from '@lib/live.svelte'
import { problemText } from './notices.svelte'

const PATH = 'services/lighting/compliance'
const PAGE = 100

class ComplianceState {
  /** Which rule and which part of the town are listed; '' for all. */
  rule = $state('')
  area = $state('')
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  /** The next page did not come. */
  moreError = $state('')
  busy = $state(false)
  lamps = $state(0)
  judged = $state(0)
  found = $state(0)
  /** By rule, in the part of the town that is chosen; by part of the town, everywhere. */
  rules = $state.raw<RuleFound[]>([])
  areas = $state.raw<AreaFound[]>([])
  items = $state.raw<LampFound[]>([])
  total = $state(0)
  /** When what is shown was told, on the post's clock. */
  at = $state<number | null>(null)
  #next: number | null = null
  #asked = 0

  get whole(): boolean {
    return this.#next === null
  }

  /** Every finding of what is listed, as a table. */
  get csv(): string {
    return address(`${PATH}.csv`, { rule: this.rule, area: this.area })
  }

  /** Begins anew, with what is chosen. */
  async load(): Promise<void> {
    const asked = ++this.#asked
    const { rule, area } = this
    this.busy = true
    try {
      const [one, town] = await Promise.all([
        api.get<Compliance>(PATH, { rule, area, limit: PAGE }),
        area === '' ? null : api.get<Compliance>(PATH, { limit: 1 }),
      ])
      if (asked !== this.#asked) return
      const everywhere = town ?? one
      this.lamps = one.lamps
      this.judged = one.judged
      this.found = one.found
      this.rules = one.rules
      this.areas = everywhere.areas
      this.items = one.items
      this.total = one.total
      this.#next = one.next
      this.at = live.now()
      this.moreError = ''
      this.phase = 'ready'
    } catch (error) {
      if (asked !== this.#asked) return
      this.error = problemText(error instanceof Problem ? error : null)
      this.phase = 'failed'
    } finally {
      if (asked === this.#asked) this.busy = false
    }
  }

  /** The next page of the list. */
  async more(): Promise<void> {
    if (this.#next === null || this.busy) return
    const asked = this.#asked
    const { rule, area } = this
    this.busy = true
    try {
      const page = await api.get<Compliance>(PATH, { rule, area, limit: PAGE, after: this.#next })
      if (asked !== this.#asked) return
      this.items = [...this.items, ...page.items]
      this.#next = page.next
      this.moreError = ''
    } catch (error) {
      if (asked === this.#asked) this.moreError = problemText(error instanceof Problem ? error : null)
    } finally {
      if (asked === this.#asked) this.busy = false
    }
  }

  /** Lists another rule, or all of them where it is listed already. */
  chooseRule(rule: string): void {
    this.rule = this.rule === rule ? '' : rule
    void this.load()
  }

  chooseArea(area: string): void {
    this.area = this.area === area ? '' : area
    void this.load()
  }

  /** Who comes back, or somebody else, sees nothing of before. */
  leave(): void {
    this.#asked += 1
    this.rule = ''
    this.area = ''
    this.phase = 'loading'
    this.items = []
    this.busy = false
  }
}

export const compliance = new ComplianceState()
