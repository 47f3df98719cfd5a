// The cases that their page shows: one question, from the address, that a table, a board, a map and a calendar answer.
// They are asked for anew now and then, and after whatever is done to them here.
import { api, address, Problem, type Query } from '@lib/api'
import { AT_ONCE_MAX, type CaseKind, type CaseRow, type CrewRow, type MovedCases, type Said } from '@lib/cases'
import { dayBegins, dayOf } from '@lib/format'
import { live } from '@lib/live.svelte'
import type { Page } from '@lib/types'
import { ROADWORKS } from '@lib/works'
import { daysOf, plus } from '../cases/days'
import { ALL, type CasesAsked } from './asked'
import { city } from './city.svelte'
import { clock } from './clock.svelte'
import { problemText } from './notices.svelte'
import { session } from './session.svelte'

const PAGE = 500
/** On a map or in a calendar nobody reads more than this; the page says that there are more. */
const DRAWN_MAX = 2_000
/** A table goes further, page by page; what is more is for the CSV. */
const ROWS_MAX = 20_000
export const COLUMN_MAX = 100
const AGAIN_MS = 20_000
const LATE_AGAIN_MS = 60_000

/** What a board shows beyond what is to be done, as lives call it: what was done of late. */
const DONE = ['done', 'closed']

interface Life {
  moves: Record<string, Record<string, string>>
}

/** Many that are to be moved by one event. */
export interface Moving {
  rows: readonly CaseRow[]
  event: string
}

/** Where one is opened: at an asset, or at a place. */
export interface Draft {
  asset: string
  category: string
  place: { lon: number; lat: number } | null
}

class Cases {
  kinds = $state.raw<CaseKind[]>([])
  crews = $state.raw<CrewRow[]>([])
  rows = $state.raw<CaseRow[]>([])
  /** How many there are in each state, for the board. */
  counts = $state.raw<Record<string, number>>({})
  total = $state(0)
  /** Of what a calendar is asked for, how many are late since before its first day. */
  lateBefore = $state(0)
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  /** What is shown could not be read again: since when, else null. */
  oldSince = $state<number | null>(null)
  /** How many are late, wherever this person sees them; null while that is not known. */
  late = $state<number | null>(null)
  chosen = $state.raw<ReadonlySet<string>>(new Set())
  /** What a window asks about before it is done. */
  moving = $state.raw<Moving | null>(null)
  draft = $state.raw<Draft>({ asset: '', category: '', place: null })
  /** Grows with whatever is done to a case here: what shows some of them asks again. */
  acts = $state(0)

  /** Steps from row to row of the page, where it is open. */
  stepper: ((by: number) => void) | null = null

  #asked: CasesAsked | null = null
  #next: string | null = null
  #turn = 0
  #at = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #lateTimer: ReturnType<typeof setInterval> | undefined
  #page: Promise<void> | null = null

  /** From log-in to log-out: how many are late. */
  start(): () => void {
    void this.#countLate()
    this.#lateTimer = setInterval(() => {
      if (document.visibilityState === 'visible') void this.#countLate()
    }, LATE_AGAIN_MS)
    return () => {
      clearInterval(this.#lateTimer)
      this.leave()
      this.kinds = []
      this.late = null
      this.moving = null
      this.chosen = new Set()
      this.draft = { asset: '', category: '', place: null }
    }
  }

  /** What may be done to cases, and by which crews: asked for once, and the crews again where somebody gives work. */
  async learn(): Promise<void> {
    if (!this.kinds.length) this.kinds = (await api.get<Page<CaseKind>>('cases/kinds')).items
    this.crews = (await api.get<Page<CrewRow>>('cases/crews')).items
  }

  /** Shows what is asked for; goes on asking until `leave`. */
  async show(asked: CasesAsked): Promise<void> {
    const before = this.#asked && JSON.stringify(this.#query(this.#asked))
    const same = before === JSON.stringify(this.#query(asked)) && this.#asked?.as === asked.as
    this.#asked = asked
    if (same && this.phase === 'ready') return
    this.#next = null
    this.#page = null
    this.phase = 'loading'
    this.rows = []
    this.chosen = new Set()
    await this.#load(PAGE)
  }

  leave(): void {
    this.#turn += 1
    clearTimeout(this.#timer)
    this.#asked = null
    this.rows = []
    this.phase = 'loading'
  }

  /** Asks again for as many as are shown. */
  async refresh(): Promise<void> {
    if (this.#asked) await this.#load(Math.max(PAGE, this.rows.length))
  }

  /** The next page of a table. */
  more(): Promise<void> {
    if (this.#next === null || this.rows.length >= ROWS_MAX || this.#asked?.as !== 'table') return Promise.resolve()
    this.#page ??= this.#load(this.rows.length + PAGE).finally(() => (this.#page = null))
    return this.#page
  }

  csv(asked: CasesAsked): string {
    return address('cases', { ...this.#query(asked), limit: undefined, format: 'csv' })
  }

  kindOf(row: CaseRow): CaseKind | undefined {
    return this.kinds.find((kind) => kind.key === row.kind)
  }

  /** The kinds that are asked for. */
  kindsOf(asked: CasesAsked): CaseKind[] {
    return this.kinds.filter((kind) => !asked.kind || kind.key === asked.kind)
  }

  /** The kind of a board: its columns are the states of one life. */
  boardKind(asked: CasesAsked): CaseKind | undefined {
    return this.kindsOf(asked)[0]
  }

  /** The states of a board's columns. */
  columns(asked: CasesAsked): string[] {
    const kind = this.boardKind(asked)
    if (!kind) return []
    if (asked.state === ALL) return kind.states.filter((state) => state !== 'archived')
    if (asked.state) return [asked.state]
    // What is done stands at the end, wherever the life names it.
    return [...kind.states.filter((state) => !kind.over.includes(state)), ...DONE.filter((state) => kind.states.includes(state))]
  }

  /** Where an event leads from a state; undefined where it leads nowhere. */
  leads(row: CaseRow, event: string): string | undefined {
    const life = city.kinds.lives[this.kindOf(row)?.life ?? ''] as Life | undefined
    return life?.moves[row.state]?.[event]
  }

  /** The event by which this person may bring a case into a state. */
  eventTo(row: CaseRow, state: string): string | undefined {
    return row.may.find((event) => this.leads(row, event) === state)
  }

  /** What is to be said with an event: for whom, and why. */
  asks(row: CaseRow, event: string): { crew: boolean; reason: boolean } {
    const { crew = false, reason = false } = this.kindOf(row)?.moves[event] ?? {}
    return { crew, reason }
  }

  /** Moves a case, or asks first for what is to be said with it. Throws Problem. */
  async begin(row: CaseRow, event: string): Promise<CaseRow | null> {
    const { crew, reason } = this.asks(row, event)
    // A permit is decided, and works begun or ended, by no slip of the hand.
    if (crew || reason || row.kind === ROADWORKS) {
      this.moving = { rows: [row], event }
      return null
    }
    return await this.move(row, event, { crew: '', reason: '' })
  }

  /** Throws Problem. */
  async move(row: CaseRow, event: string, said: Said): Promise<CaseRow> {
    try {
      const body = { event, revision: row.revision, ...said }
      return this.put(await api.post<CaseRow>(`cases/${encodeURIComponent(row.id)}/moves`, body))
    } finally {
      // Whoever was too late is shown what there is now.
      this.changed()
    }
  }

  /** Moves many, each for itself. Throws Problem where nothing is known of what became of them. */
  async moveMany(rows: readonly CaseRow[], event: string, said: Said): Promise<MovedCases> {
    const all: MovedCases = { moved: [], refused: {} }
    try {
      for (let from = 0; from < rows.length; from += AT_ONCE_MAX) {
        const some = rows.slice(from, from + AT_ONCE_MAX)
        const cases = Object.fromEntries(some.map((row) => [row.id, row.revision]))
        const answer = await api.post<MovedCases>('cases/moves', { event, cases, ...said })
        all.moved.push(...answer.moved)
        Object.assign(all.refused, answer.refused)
      }
    } finally {
      for (const row of all.moved) this.put(row)
      this.changed()
    }
    return all
  }

  /** A case as it is now takes the place of what is shown of it. */
  put(row: CaseRow): CaseRow {
    const own = this.rows.find((each) => each.id === row.id)
    if (own && own.state !== row.state) {
      const counts = { ...this.counts }
      counts[own.state] = Math.max(0, (counts[own.state] ?? 0) - 1)
      counts[row.state] = (counts[row.state] ?? 0) + 1
      this.counts = counts
    }
    this.rows = this.rows.map((each) => (each.id === row.id ? row : each))
    return row
  }

  /** Something was done here: lists and figures are read again. */
  changed(): void {
    this.acts += 1
    void this.refresh()
    void this.#countLate()
    void api
      .get<Page<CrewRow>>('cases/crews')
      .then((page) => (this.crews = page.items))
      .catch(() => undefined)
  }

  choose(ids: Iterable<string>, on: boolean): void {
    const chosen = new Set(this.chosen)
    for (const id of ids) {
      if (on) chosen.add(id)
      else chosen.delete(id)
    }
    this.chosen = chosen
  }

  /** Whether this person may open one at all. */
  get mayOpen(): boolean {
    return session.may('dispatch')
  }

  #query(asked: CasesAsked): Query {
    const { as, span, day, state, late, area, ...rest } = asked
    void [span, day]
    return {
      ...rest,
      area,
      late: late || undefined,
      state: state === ALL ? '' : state || 'live',
      sort: as === 'calendar' ? 'due' : asked.sort,
      ...(as === 'calendar' ? this.#shown(asked) : {}),
      limit: PAGE,
    }
  }

  /** The days that a calendar shows. */
  #shown({ span, day }: CasesAsked): { due_since: string; due_until: string } {
    const days = daysOf(span, day || dayOf(clock.now))
    const [first = '', last = ''] = [days[0], days.at(-1)]
    return { due_since: dayBegins(first).toISOString(), due_until: dayBegins(plus(last, 1)).toISOString() }
  }

  async #load(wanted: number): Promise<void> {
    const asked = this.#asked
    if (!asked) return
    const turn = ++this.#turn
    clearTimeout(this.#timer)
    try {
      if (!this.kinds.length) await this.learn()
      const found = asked.as === 'board' ? await this.#board(asked) : await this.#list(asked, wanted)
      if (turn !== this.#turn) return
      this.rows = found.rows
      this.total = found.total
      this.counts = found.counts
      this.lateBefore = found.lateBefore
      this.#next = found.next
      this.#at = live.now()
      this.oldSince = null
      this.error = ''
      this.phase = 'ready'
      const here = new Set(found.rows.map((row) => row.id))
      if ([...this.chosen].some((id) => !here.has(id))) this.chosen = new Set([...this.chosen].filter((id) => here.has(id)))
    } catch (error) {
      if (turn !== this.#turn) return
      this.error = problemText(error instanceof Problem ? error : null)
      if (this.phase === 'ready') this.oldSince ??= this.#at
      else this.phase = 'failed'
    }
    this.#wait()
  }

  /** As long again for each page that is shown: whoever has gone far down a list does not have all of it asked for all
      the time. */
  #wait(): void {
    const pages = Math.max(1, Math.ceil(this.rows.length / PAGE))
    this.#timer = setTimeout(() => void this.#again(), AGAIN_MS * pages)
  }

  async #again(): Promise<void> {
    if (document.visibilityState === 'visible') await this.refresh()
    else this.#wait()
  }

  async #list(asked: CasesAsked, wanted: number): Promise<Found> {
    const query = this.#query(asked)
    const most = asked.as === 'table' ? wanted : DRAWN_MAX
    const rows: CaseRow[] = []
    let total = 0
    let cursor: string | null = null
    do {
      const page: Page<CaseRow> = await api.get('cases', { ...query, cursor })
      rows.push(...page.items)
      total = page.total ?? rows.length
      cursor = page.next
    } while (cursor !== null && rows.length < most)
    const lateBefore = asked.as === 'calendar' ? await this.#lateBefore(query) : 0
    return { rows, total, next: cursor, counts: {}, lateBefore }
  }

  async #board(asked: CasesAsked): Promise<Found> {
    const states = this.columns(asked)
    const query = this.#query({ ...asked, sort: 'due', kind: this.boardKind(asked)?.key ?? asked.kind })
    const [told, ...pages] = await Promise.all([
      api.get<{ states: Record<string, number> }>('cases/counts', { ...query, state: states.join(','), sort: undefined, limit: undefined }),
      ...states.map((state) => api.get<Page<CaseRow>>('cases', { ...query, state, limit: COLUMN_MAX })),
    ])
    const total = states.reduce((sum, state) => sum + (told.states[state] ?? 0), 0)
    return { rows: pages.flatMap((page) => page.items), total, next: null, counts: told.states, lateBefore: 0 }
  }

  async #lateBefore({ due_since, limit, sort, ...query }: Query): Promise<number> {
    void [limit, sort]
    const { states } = await api.get<{ states: Record<string, number> }>('cases/counts', { ...query, late: true, due_until: due_since })
    return Object.values(states).reduce((sum, n) => sum + n, 0)
  }

  async #countLate(): Promise<void> {
    try {
      const { states } = await api.get<{ states: Record<string, number> }>('cases/counts', { late: true })
      this.late = Object.values(states).reduce((sum, n) => sum + n, 0)
    } catch {
      this.late = null // not known is not none
    }
  }
}

interface Found {
  rows: CaseRow[]
  total: number
  next: string | null
  counts: Record<string, number>
  lateBefore: number
}

export const cases = new Cases()
