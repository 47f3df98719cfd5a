// Rounds, asked for every few seconds while somebody looks at them; the one that is open is drawn on the map as well.
import { api, Problem } from '@lib/api'
import { matches } from '@lib/format'
import { live } from '@lib/live.svelte'
import type { DrawnStreet, IceStation, PastTurn, Round, RoundDetail, RoundLines, RoundTask } from '@lib/rounds'
import type { Bounds, Page } from '@lib/types'
import { problemText } from './notices.svelte'
import { view } from './view.svelte'

export const ROADS = 'roads'
const EVERY_MS = 4_000

/** What is to be looked at first: what ice calls, streets that are late, turns under way; then the others. */
function haste(round: Round): number {
  if (round.called) return 0
  if (round.due === null || round.over) return 3
  return round.late ? 1 : 2
}

class Rounds {
  rows = $state.raw<Round[]>([])
  /** Of which task and with which words in its name the list has circuits; those with late streets alone. */
  asked = $state({ task: null as RoundTask | null, words: '', late: false })
  readonly narrowed = $derived(this.asked.task !== null || this.asked.words !== '' || this.asked.late)
  readonly shown = $derived(
    this.rows
      .filter(({ task, name, late }) => (this.asked.task ?? task) === task && (!this.asked.late || late) && matches(this.asked.words, name))
      .sort((a, b) => haste(a) - haste(b)),
  )
  /** What stations say of ice; asked for with the list. */
  ice = $state.raw<IceStation[]>([])
  /** The one that is open, street by street. */
  one = $state.raw<RoundDetail | null>(null)
  /** Its turns that are over; null while they are not known. */
  turns = $state.raw<PastTurn[] | null>(null)
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  /** When what is shown was told, on the post's clock; null for never. */
  at = $state<number | null>(null)
  /** The last question was not answered: what is shown grows old. */
  old = $state(false)
  /** The one that is open is not there, or is not for who works here. */
  missing = $state(false)
  #lines = $state.raw<RoundLines | null>(null)

  #watchers = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #offBack: (() => void) | undefined
  #asked = 0

  /** The streets of the one that is open, as the map draws them: those that matter most come last, and lie on top. */
  readonly drawn = $derived.by((): DrawnStreet[] => {
    const { one } = this
    if (!one || !this.#lines) return []
    const lines = new Map(this.#lines.items.map((each) => [each.street, each.line]))
    const order = { open: 0, done: 1, done_late: 2, late: 3 }
    return one.of_streets
      .map(({ street, state }) => ({ state, line: lines.get(street) ?? [] }))
      .filter(({ line }) => line.length > 1)
      .sort((a, b) => order[a.state] - order[b.state])
  })

  /** Follows them until the returned function is called. */
  watch(): () => void {
    this.#watchers += 1
    if (this.#watchers === 1) {
      this.#offBack = live.onBack(() => void this.load())
      void this.load()
    }
    return () => {
      this.#watchers -= 1
      if (this.#watchers > 0) return
      clearTimeout(this.#timer)
      this.#offBack?.()
      // Who comes back, or somebody else, sees nothing of before.
      this.rows = []
      this.ice = []
      this.asked = { task: null, words: '', late: false }
      this.#put(null)
      this.at = null
      this.phase = 'loading'
      this.#asked += 1
    }
  }

  async load(): Promise<void> {
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    const id = view.round
    if (id !== this.one?.id) this.#put(null)
    try {
      const [page, one, ice] = await Promise.all([
        api.get<Page<Round>>('roads/rounds'),
        id === null ? null : this.#read(id),
        id === null ? api.get<Page<IceStation>>('roads/ice') : null,
      ])
      if (asked !== this.#asked) return
      this.rows = page.items
      this.one = one
      this.ice = ice?.items ?? this.ice
      this.missing = id !== null && one === null
      this.at = live.now()
      this.phase = 'ready'
      this.old = false
      if (one && !this.#lines) await this.#draw(one.id)
    } catch (error) {
      if (asked !== this.#asked) return
      this.old = true
      this.error = problemText(error instanceof Problem ? error : null)
      if (this.at === null) this.phase = 'failed'
    }
    if (asked === this.#asked && this.#watchers > 0) this.#timer = setTimeout(() => void this.load(), EVERY_MS)
  }

  /** What of the town the lines of the one that is open pass. */
  get bounds(): Bounds | null {
    const spots = this.drawn.flatMap(({ line }) => line)
    if (!spots.length) return null
    const lons = spots.map(([lon]) => lon)
    const lats = spots.map(([, lat]) => lat)
    return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]
  }

  /** Where a street of the one that is open lies. */
  middleOf(street: string): [lon: number, lat: number] | null {
    const line = this.#lines?.items.find((each) => each.street === street)?.line
    return line?.[Math.floor(line.length / 2)] ?? null
  }

  #put(one: RoundDetail | null): void {
    this.one = one
    this.turns = null
    this.#lines = null
    this.missing = false
  }

  async #draw(id: string): Promise<void> {
    const path = `roads/rounds/${encodeURIComponent(id)}`
    const [lines, turns] = await Promise.all([
      api.get<RoundLines>(`${path}/lines`),
      api.get<Page<PastTurn>>(`${path}/turns`),
    ])
    if (this.one?.id === id) [this.#lines, this.turns] = [lines, turns.items]
  }

  async #read(id: string): Promise<RoundDetail | null> {
    try {
      return await api.get<RoundDetail>(`roads/rounds/${encodeURIComponent(id)}`)
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null
      throw error
    }
  }
}

export const rounds = new Rounds()
