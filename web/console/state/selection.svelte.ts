// A selection: one asset, a street, an area or what a lasso holds. One order can be given to all of it.
import { api } from '@lib/api'
import { t } from '@lib/i18n.svelte'
import type { Bounds, Found, Page, AssetRow, Select } from '@lib/types'
import { learn } from '../map/places'
import { city } from './city.svelte'
import { mapState } from './map.svelte'
import { session } from './session.svelte'
import { view } from './view.svelte'

export type Tool = 'none' | 'lasso' | 'create' | 'move' | 'place' | 'street' | 'corner'

export interface Chosen {
  form: 'street' | 'area' | 'polygon' | 'device'
  /** What a person calls it; empty for a lasso. */
  name: string
  /** The device that speaks for them. */
  device?: string
  street?: string
  area?: string
  polygon?: [number, number][]
  /** Where it was found, for what has no equipment to show where it is. */
  at?: { lon: number; lat: number }
}

const PAGE = 500
/** More members than this are shown by their outline alone: rings on all would hide the city. */
export const MEMBERS_MAX = 2_000

class Selection {
  tool = $state<Tool>('none')
  chosen = $state.raw<Chosen | null>(null)
  /** How many of each kind that takes orders; null while it is counted. */
  counts = $state.raw<Record<string, number> | null>(null)
  /** It could not be counted: nothing is known of what could be ordered. */
  failed = $state(false)
  /** The kind that an order is composed for. */
  kind = $state<string | null>(null)
  /** The assets of that kind in it, as far as they are few enough to be shown one by one. */
  members = $state.raw<AssetRow[]>([])
  #asked = 0

  choose(chosen: Chosen | null): void {
    this.chosen = chosen
    view.raise('selection', chosen !== null)
    void this.count()
  }

  chooseStreet(name: string, area?: string, at?: { lon: number; lat: number }): void {
    this.choose({ form: 'street', name, street: name, ...(area ? { area } : {}), ...(at ? { at } : {}) })
  }

  chooseArea(path: string): void {
    this.choose({ form: 'area', name: city.areaName(path), area: path })
    const area = city.area(path)
    if (area) mapState.fit(area.bounds)
  }

  /** All that the map shows, for whoever draws no lasso. */
  chooseView(): void {
    const free = mapState.free()
    if (!free) return
    this.tool = 'none'
    const [w, s, e, n] = free
    const polygon: [number, number][] = [[w, s], [e, s], [e, n], [w, n]] // prettier-ignore
    this.choose({ form: 'polygon', name: t('console.selection.view'), polygon })
  }

  /** What a gateway speaks for. */
  chooseDevice(name: string): void {
    this.choose({ form: 'device', name, device: name })
  }

  chooseFound(found: Found): void {
    if (found.type === 'area') this.chooseArea(found.id)
    else if (found.type === 'street') {
      // A street is found in an area, and its id is that area's path with the name.
      this.chooseStreet(found.name, found.id.slice(0, -found.name.length - 1), { lon: found.lon, lat: found.lat })
    }
  }

  /** Composes for another kind of what is selected. */
  pick(kind: string): void {
    if (kind === this.kind) return
    this.kind = kind
    void this.#members(this.#asked)
  }

  clear(): void {
    this.tool = 'none'
    this.choose(null)
  }

  /** The selection as an order names it, for one kind of asset. */
  selectOf(kind: string): Select | null {
    const chosen = this.chosen
    if (!chosen) return null
    switch (chosen.form) {
      case 'street':
        return { street: chosen.street ?? '', kind, ...(chosen.area ? { area: chosen.area } : {}) }
      case 'area':
        return { area: chosen.area ?? '', kind }
      case 'polygon':
        return { polygon: chosen.polygon ?? [], kind }
      case 'device':
        // An order names its targets: it waits until all of them are known here.
        return this.members.length ? { assets: this.members.map((row) => row.id) } : null
    }
  }

  /** The same as the list of assets asks for it. */
  query(): Record<string, string | undefined> {
    const chosen = this.chosen
    return {
      street: chosen?.street,
      area: chosen?.area,
      device: chosen?.device,
      polygon: chosen?.polygon?.map(([lon, lat]) => `${lon.toFixed(6)},${lat.toFixed(6)}`).join(';'),
    }
  }

  /** Counts what is selected; again, when that could not be done. */
  async count(): Promise<void> {
    const asked = ++this.#asked
    const { chosen } = this
    this.counts = null
    this.kind = null
    this.members = []
    this.failed = false
    if (!chosen) return
    const kinds = Object.entries(city.kinds.assets).filter(
      ([name, kind]) =>
        Object.keys(kind.actions).length > 0 && session.may('order', kind.service) && city.count(name) > 0,
    )
    const counts: Record<string, number> = {}
    try {
      await Promise.all(
        kinds.map(async ([name]) => {
          const page = await api.get<Page<AssetRow>>('assets', { ...this.query(), kind: name, limit: 1 })
          counts[name] = page.total ?? page.items.length
        }),
      )
    } catch {
      if (asked === this.#asked) this.failed = true
      return
    }
    if (asked !== this.#asked) return
    const found = Object.entries(counts).filter(([, n]) => n > 0)
    this.counts = Object.fromEntries(found)
    this.kind = found.sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
    await this.#members(asked)
    if (asked === this.#asked) this.#show(chosen)
  }

  async #members(asked: number): Promise<void> {
    const { kind, chosen } = this
    this.members = []
    if (!chosen || !kind || (this.counts?.[kind] ?? 0) > MEMBERS_MAX) return
    const all: AssetRow[] = []
    let cursor: string | null = null
    try {
      do {
        const page: Page<AssetRow> = await api.get('assets', { ...this.query(), kind, limit: PAGE, cursor })
        all.push(...page.items)
        cursor = page.next
      } while (cursor && all.length < MEMBERS_MAX)
    } catch {
      return // the order can be given without rings on the map
    }
    if (asked !== this.#asked || kind !== this.kind) return
    for (const row of all) learn(row)
    this.members = all
  }

  /** Brings a street into view, whole; what a lasso holds is in view already. */
  #show(chosen: Chosen): void {
    if (chosen.form !== 'street' && chosen.form !== 'device') return
    const bounds = boundsOf(this.members)
    if (bounds) mapState.fit(bounds)
    else if (chosen.at) mapState.go(chosen.at.lon, chosen.at.lat, 16.5)
  }
}

/** The box around some assets; null for none. */
export function boundsOf(rows: readonly { lon: number; lat: number }[]): Bounds | null {
  if (!rows.length) return null
  const lon = rows.map((row) => row.lon)
  const lat = rows.map((row) => row.lat)
  return [Math.min(...lon), Math.min(...lat), Math.max(...lon), Math.max(...lat)]
}

export const selection = new Selection()
