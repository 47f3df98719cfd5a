// Junctions: all of them as a list, and the one that is open, with what its groups showed and what control knows of it.
import { api, Problem } from '@lib/api'
import { merged, type Deciding, type JunctionRow, type JunctionTold, type Shown } from '@lib/junctions'
import { live } from '@lib/live.svelte'
import type { History, Page, Reading } from '@lib/types'
import { problemText } from './notices.svelte'
import { Sheet } from './sheet.svelte'

export const SIGNALS = 'signals'
export const JUNCTION = 'junction'

/** How much of the past the ribbon shows. */
export const WINDOW_MS = 5 * 60_000
/** Of who decides, so much is looked through for the last change. */
const CHANGES_MS = 24 * 3_600_000
const LIST_EVERY_MS = 5_000
/** Why the post decides as it does is asked for so often while somebody looks. */
const WHY_EVERY_MS = 2_000
/** What the live link has coalesced is read again from history so often. */
export const AGAIN_MS = 60_000

class Junctions {
  rows = $state.raw<JunctionRow[]>([])
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  /** The last question was not answered: what is shown grows old. */
  old = $state(false)
  at = $state<number | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = 0

  /** Follows the list until the returned function is called. */
  watch(): () => void {
    void this.load()
    const offBack = live.onBack(() => void this.load())
    return () => {
      offBack()
      clearTimeout(this.#timer)
      this.#asked += 1
      this.rows = []
      this.phase = 'loading'
      this.at = null
      this.old = false
    }
  }

  async load(): Promise<void> {
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    try {
      const { items } = await api.get<Page<JunctionRow>>('signals/junctions')
      if (asked !== this.#asked) return
      this.rows = [...items].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id))
      this.phase = 'ready'
      this.old = false
      this.at = live.now()
    } catch (error) {
      if (asked !== this.#asked) return
      this.old = true
      this.error = problemText(error instanceof Problem ? error : null)
      if (this.at === null) this.phase = 'failed'
    }
    this.#timer = setTimeout(() => void this.load(), LIST_EVERY_MS)
  }
}

class Junction {
  /** The asset: its points as they come, its orders, its journal. */
  readonly sheet = new Sheet()
  told = $state.raw<JunctionTold | null>(null)
  /** What control knows could not be read: the rest of the page stands without. */
  failed = $state(false)
  /** What the groups showed lately; of the time that `end` asks for. */
  shown = $state.raw<Shown[]>([])
  shownFailed = $state(false)
  /** Whether that was read at all since it was asked for. */
  shownRead = $state(false)
  /** Since when the one who decides now does, as far as the last day tells; null where nothing was told. */
  decides = $state.raw<{ since: number; whole: boolean } | null>(null)
  /** Why the post decides or does not; null where that was not told, or the answer did not come. */
  why = $state.raw<Deciding | null>(null)
  /** The end of the time that the ribbon shows; null: now. */
  end = $state<number | null>(null)
  #id: string | null = null
  #timer: ReturnType<typeof setInterval> | undefined
  #whyTimer: ReturnType<typeof setInterval> | undefined
  #offBack: (() => void) | undefined
  #asked = 0
  #loads = 0

  open(id: string | null): void {
    if (id === this.#id) return
    clearInterval(this.#timer)
    clearInterval(this.#whyTimer)
    this.#offBack?.()
    this.#id = id
    this.#asked += 1
    this.told = null
    this.shown = []
    this.decides = null
    this.why = null
    this.end = null
    this.failed = this.shownFailed = this.shownRead = false
    this.sheet.open(id)
    if (id === null) return
    const again = (): void => {
      void this.load()
      void this.loadShown()
    }
    again()
    void this.#ask()
    this.#timer = setInterval(again, AGAIN_MS)
    this.#whyTimer = setInterval(() => void this.#ask(), WHY_EVERY_MS)
    this.#offBack = live.onBack(again)
  }

  /** What control knows, and since when who decides. */
  async load(): Promise<void> {
    const id = this.#id
    if (id === null) return
    const own = ++this.#loads
    // A later question is answered by what is later.
    const holds = (): boolean => id === this.#id && own === this.#loads
    try {
      const told = await api.get<JunctionTold>(`signals/junctions/${encodeURIComponent(id)}`)
      if (holds()) [this.told, this.failed] = [told, false]
      const { rows } = await history(id, 'control', CHANGES_MS, live.now())
      if (holds()) this.decides = sinceOf(rows)
    } catch {
      if (holds() && this.told === null) this.failed = true
    }
  }

  async #ask(): Promise<void> {
    const id = this.#id
    if (id === null || live.status === 'lost') return
    try {
      const why = await api.get<Deciding>(`signals/junctions/${encodeURIComponent(id)}/deciding`)
      if (id === this.#id) this.why = why
    } catch {
      // What was weighed two seconds ago says nothing of now.
      if (id === this.#id) this.why = null
    }
  }

  async loadShown(): Promise<void> {
    const id = this.#id
    if (id === null) return
    const asked = ++this.#asked
    const end = this.end ?? live.now()
    try {
      const fresh = await shownUntil(id, end)
      if (asked !== this.#asked || id !== this.#id) return
      this.shown = merged(fresh, this.end === null ? this.shown : [], end - WINDOW_MS)
      this.shownFailed = false
      this.shownRead = true
    } catch {
      if (asked === this.#asked && id === this.#id) this.shownFailed = true
    }
  }

  /** What came over the live link. */
  hear(reading: Reading | undefined): void {
    if (this.end !== null || typeof reading?.value !== 'string') return
    const at = Date.parse(reading.at)
    if (at <= (this.shown.at(-1)?.at ?? 0)) return
    this.shown = merged(this.shown, [{ at, letters: reading.value }], live.now() - WINDOW_MS)
  }

  /** Shows the time up to `end`; null: now, as it goes on. */
  look(end: number | null): void {
    this.end = end !== null && end >= live.now() ? null : end
    this.shown = []
    this.shownRead = false
    void this.loadShown()
  }
}

function history(id: string, point: string, span: number, end: number): Promise<History> {
  const [from, to] = [end - span, end + 1].map((at) => new Date(at).toISOString())
  return api.get<History>(`assets/${encodeURIComponent(id)}/history`, { point, from, to })
}

/** What the groups of a junction showed up to an instant: as long as is drawn, and before that as long, since a report
    is true for a while: what was said before the first minute drawn may still hold in it. */
export async function shownUntil(id: string, end: number): Promise<Shown[]> {
  const { rows } = await history(id, 'groups', 2 * WINDOW_MS, end)
  return (rows as unknown as [number, string][]).map(([at, letters]) => ({ at, letters }))
}

/** Since when the last of some values lasts; whole: no other was told before it. */
function sinceOf(rows: readonly number[][]): { since: number; whole: boolean } | null {
  const last = rows.at(-1)
  if (!last) return null
  const before = rows.findLastIndex((row) => row[1] !== last[1])
  return { since: rows[before + 1]![0]!, whole: before < 0 }
}

export const junctions = new Junctions()
export const junction = new Junction()
