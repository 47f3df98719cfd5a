// Works in streets, followed while somebody looks at them: the list that the map draws, the year, requests about buried
// networks, and what of the works that are open the map shows beyond that.
import { address, api, Problem } from '@lib/api'
import { dayBegins, dayOf } from '@lib/format'
import { live } from '@lib/live.svelte'
import type { Bounds, Page } from '@lib/types'
import type { Detours, Line, Occupancy, RequestRow, WorksDetail, WorksRow, Year } from '@lib/works'
import type { DrawnWorks } from '../map/works'
import { plus } from '../cases/days'
import { clock } from './clock.svelte'
import { problemText } from './notices.svelte'
import { view } from './view.svelte'
import type { WorksAsked } from './works_asked'

const EVERY_MS = 20_000
const PAGE = 500
/** Nobody reads more than this; the page says that there are more. */
const MOST = 2_000

class Works {
  rows = $state.raw<WorksRow[]>([])
  /** How many there are of what the post was asked for. */
  total = $state(0)
  year = $state.raw<Year | null>(null)
  requests = $state.raw<RequestRow[]>([])
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  /** When what is shown was told, on the post's clock; null for never. */
  at = $state<number | null>(null)
  /** The last question was not answered: what is shown grows old. */
  old = $state(false)
  /** The works whose sheet is open, as they are now. */
  open = $state.raw<WorksDetail | null>(null)
  /** The ways round them that the post proposes, until they are accepted or put away. */
  proposed = $state.raw<Detours | null>(null)

  #watchers = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #offBack: (() => void) | undefined
  #asked = 0
  #question = ''

  /** Those that the filters leave: what the post is not asked for is left out here. */
  readonly shown = $derived.by((): WorksRow[] => {
    const { occupancy, late, clashes } = view.works
    return this.rows.filter(
      (row) =>
        (!occupancy || row.phases.some((phase) => phase.occupancy === occupancy)) && (!late || row.late !== null) && (!clashes || row.clashes > 0),
    )
  })

  /** As the map draws them: what is open last, so that it lies on top. */
  readonly drawn = $derived.by((): DrawnWorks[] => {
    const { open } = this
    const rows: WorksRow[] = view.page === 'works' ? this.shown.filter((row) => row.case.id !== open?.case.id) : []
    return [...rows.flatMap((row) => drawnOf(row, false)), ...(open ? drawnOf(open, true) : [])]
  })

  /** The way round that the map draws: what is proposed, else what is accepted. */
  readonly way = $derived.by((): Line[] => {
    if (this.proposed) return this.proposed.items.flatMap((each) => each.legs.map((leg) => leg.line))
    return this.open?.diversion.map((leg) => leg.line) ?? []
  })

  /** Follows them until the returned function is called. */
  watch(): () => void {
    this.#watchers += 1
    if (this.#watchers === 1) this.#offBack = live.onBack(() => void this.load())
    return () => {
      this.#watchers -= 1
      if (this.#watchers > 0) return
      clearTimeout(this.#timer)
      this.#offBack?.()
      // Who comes back, or somebody else, sees nothing of before.
      this.#forget()
    }
  }

  async load(): Promise<void> {
    clearTimeout(this.#timer)
    const question = JSON.stringify(questionOf(view.works))
    if (question !== this.#question) this.#forget()
    this.#question = question
    const turn = ++this.#asked
    try {
      await this.#read(view.works, () => turn === this.#asked)
      if (turn !== this.#asked) return
      this.at = live.now()
      this.phase = 'ready'
      this.old = false
    } catch (error) {
      if (turn !== this.#asked) return
      this.old = true
      this.error = problemText(error instanceof Problem ? error : null)
      if (this.at === null) this.phase = 'failed'
    }
    if (this.#watchers > 0) this.#timer = setTimeout(() => void this.load(), EVERY_MS)
  }

  csv(): string {
    return address('roads/works/calendar', { year: this.yearShown, area: view.works.area, format: 'csv' })
  }

  get yearShown(): number {
    return Number(view.works.year || dayOf(clock.now).slice(0, 4))
  }

  /** The sheet of works is open, or is closed. */
  put(open: WorksDetail | null): void {
    if (open?.case.id !== this.open?.case.id) this.proposed = null
    this.open = open
  }

  #forget(): void {
    this.rows = []
    this.year = null
    this.requests = []
    this.at = null
    this.phase = 'loading'
    this.#asked += 1
  }

  async #read(asked: WorksAsked, wanted: () => boolean): Promise<void> {
    if (asked.as === 'year') {
      const year = await api.get<Year>('roads/works/calendar', { year: this.yearShown, area: asked.area })
      if (wanted()) this.year = year
    } else if (asked.as === 'buried') {
      const page = await api.get<Page<RequestRow>>('roads/buried', { limit: PAGE })
      if (wanted()) this.requests = page.items
    } else {
      const rows: WorksRow[] = []
      let cursor: string | null = null
      let total = 0
      do {
        const page: Page<WorksRow> = await api.get('roads/works', { ...questionOf(asked), limit: PAGE, cursor })
        rows.push(...page.items)
        total = page.total ?? rows.length
        cursor = page.next
      } while (cursor !== null && rows.length < MOST && wanted())
      if (!wanted()) return
      this.rows = rows
      this.total = total
    }
  }
}

function questionOf({ as, state, area, from, to, year }: WorksAsked): Record<string, string | undefined> {
  if (as === 'year') return { as, year, area }
  if (as === 'buried') return { as }
  return {
    state,
    area,
    from: from ? dayBegins(from).toISOString() : undefined,
    to: to ? dayBegins(plus(to, 1)).toISOString() : undefined,
  }
}

/** What of works is on the map: each stretch once, by what it is taken for now, else by the first to come. */
function drawnOf(row: WorksRow, open: boolean): DrawnWorks[] {
  const under = row.case.state === 'under_way'
  const found = new Map<string, DrawnWorks>()
  for (const phase of row.phases) {
    const now = under && (phase.now || row.late === 'end')
    for (const stretch of phase.stretches) {
      const key = `${stretch.street} ${stretch.from_m} ${stretch.to_m}`
      if (stretch.line.length > 1 && (now || !found.has(key))) {
        found.set(key, { id: row.case.id, occupancy: phase.occupancy, now, line: stretch.line, open })
      }
    }
  }
  return [...found.values()]
}

/** What works take up most now, or else at all. */
export function mainOf(row: WorksRow, order: readonly Occupancy[]): { occupancy: Occupancy; now: boolean } {
  const now = row.case.state === 'under_way' ? row.phases.filter((phase) => phase.now) : []
  const of = (now.length ? now : row.phases).map((phase) => phase.occupancy)
  return { occupancy: order.find((each) => of.includes(each)) ?? 'pavement', now: now.length > 0 || (row.case.state === 'under_way' && row.late === 'end') }
}

/** What of the town some lines pass; null for none. */
export function boundsOfLines(lines: readonly Line[]): Bounds | null {
  const spots = lines.flat()
  if (!spots.length) return null
  const lons = spots.map(([lon]) => lon)
  const lats = spots.map(([, lat]) => lat)
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)]
}

export const works = new Works()
