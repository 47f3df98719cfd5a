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
    this.#next = null
    await this.#load(true)
    if (this.sort) void this.loadAll()
  }

  async more(): Promise<void> {
    if (this.#next !== null && !this.loading && this.rows.length < ROWS_MAX) await this.#load(false)
  }

  /** Sorting needs every row. */
  async loadAll(): Promise<void> {
    const asked = this.#asked
    while (this.#next !== null && this.rows.length < ROWS_MAX && asked === this.#asked) await this.#load(false)
  }

  csv(): string {
    return address('assets', { ...this.#query, format: 'csv' })
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
      this.#next = null
      this.error = problemText(error instanceof Problem ? error : null)
      if (fresh) this.rows = []
    } finally {
      if (asked === this.#asked) this.loading = false
    }
  }
}

export const table = new Table()
