// The table twin of the map: the same assets, filtered and sorted, for whoever cannot use a map.
import { address, api, Problem, type Query } from '@lib/api'
import type { AssetRow, Bounds, Page } from '@lib/types'
import { learn } from '../map/places'
import { problemText } from './notices.svelte'

export type SortKey = 'worst' | 'kind' | 'name' | 'street' | 'area' | 'value' | 'at'
export type Extent = 'view' | 'selection' | 'city'

export interface Filter {
  extent: Extent
  kind: string
  worst: string
  q: string
}

const PAGE = 500
/** More rows than this are for the CSV export: a person does not read them. */
export const ROWS_MAX = 40_000

class Table {
  filter = $state.raw<Filter>({ extent: 'view', kind: '', worst: '', q: '' })
  sort = $state.raw<{ key: SortKey; down: boolean } | null>(null)
  rows = $state.raw<AssetRow[]>([])
  total = $state(0)
  loading = $state(false)
  error = $state('')
  #next: string | null = null
  #query = $state.raw<Query>({})
  #asked = 0
  #page: Promise<void> | null = null

  /** All rows there are have been loaded. */
  get whole(): boolean {
    return this.#next === null && !this.loading
  }

  /** Starts anew with another filter or another view. */
  async show(bounds: Bounds | null, chosen: Record<string, string | undefined>): Promise<void> {
    const { extent, kind, worst, q } = this.filter
    this.#query = {
      kind,
      q: q.trim(),
      worst,
      ...(extent === 'view' && bounds ? { bbox: bounds.map((n) => n.toFixed(6)).join(',') } : {}),
      ...(extent === 'selection' ? chosen : {}),
    }
    await this.#start()
  }

  /** Asks again for what failed: all of it, or the next page. */
  again(): void {
    if (this.rows.length) void (this.sort ? this.loadAll() : this.more())
    else void this.#start()
  }

  /** The next page. Whoever asks while one is on its way waits for that one: a cursor is asked for once. */
  more(): Promise<void> {
    if (this.#next === null || this.rows.length >= ROWS_MAX) return Promise.resolve()
    if (this.#page === null) {
      const page = this.#load(false).finally(() => {
        if (this.#page === page) this.#page = null
      })
      this.#page = page
    }
    return this.#page
  }

  /** Sorting needs every row. */
  async loadAll(): Promise<void> {
    const asked = this.#asked
    do await this.more()
    while (this.#next !== null && this.rows.length < ROWS_MAX && !this.error && asked === this.#asked)
  }

  csv(): string {
    return address('assets', { ...this.#query, format: 'csv' })
  }

  async #start(): Promise<void> {
    this.#next = null
    this.#page = null
    await this.#load(true)
    if (this.sort) void this.loadAll()
  }

  async #load(fresh: boolean): Promise<void> {
    const asked = fresh ? ++this.#asked : this.#asked
    this.loading = true
    try {
      const cursor = fresh ? null : this.#next
      const page = await api.get<Page<AssetRow>>('assets', { ...this.#query, limit: PAGE, cursor })
      if (asked !== this.#asked) return
      for (const row of page.items) learn(row)
      this.rows = fresh ? page.items : [...this.rows, ...page.items]
      this.#next = page.next
      this.total = page.total ?? this.rows.length
      this.error = ''
    } catch (error) {
      if (asked !== this.#asked) return
      this.error = problemText(error instanceof Problem ? error : null)
      if (fresh) this.rows = []
    } finally {
      if (asked === this.#asked) this.loading = false
    }
  }
}

export const table = new Table()
