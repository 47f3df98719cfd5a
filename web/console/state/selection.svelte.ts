// A selection: one asset, a street, an area or what a lasso holds. One order can be given to all of it.
import { api } from '@lib/api'
import type { Found, Page, AssetRow, Select } from '@lib/types'
import { city } from './city.svelte'
import { session } from './session.svelte'

export type Tool = 'none' | 'lasso' | 'create' | 'move'

export interface Chosen {
  form: 'assets' | 'street' | 'area' | 'polygon'
  /** What a person calls it; empty for a lasso. */
  name: string
  ids?: string[]
  street?: string
  area?: string
  polygon?: [number, number][]
}

class Selection {
  tool = $state<Tool>('none')
  chosen = $state.raw<Chosen | null>(null)
  /** How many of each kind that takes orders; null while it is counted. */
  counts = $state.raw<Record<string, number> | null>(null)
  #asked = 0

  choose(chosen: Chosen | null): void {
    this.chosen = chosen
    this.counts = null
    if (chosen) void this.#count(chosen)
  }

  chooseStreet(name: string, area?: string): void {
    this.choose({ form: 'street', name, street: name, ...(area ? { area } : {}) })
  }

  chooseArea(path: string): void {
    this.choose({ form: 'area', name: city.areaName(path), area: path })
  }

  chooseFound(found: Found): void {
    if (found.type === 'area') this.chooseArea(found.id)
    else if (found.type === 'street') {
      // A street is found in an area, and its id is that area's path with the name.
      this.chooseStreet(found.name, found.id.slice(0, -found.name.length - 1))
    }
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
      case 'assets':
        return { assets: chosen.ids ?? [] }
      case 'street':
        return { street: chosen.street ?? '', kind, ...(chosen.area ? { area: chosen.area } : {}) }
      case 'area':
        return { area: chosen.area ?? '', kind }
      case 'polygon':
        return { polygon: chosen.polygon ?? [], kind }
    }
  }

  /** The same as the list of assets asks for it. */
  query(): Record<string, string | undefined> {
    const chosen = this.chosen
    return {
      street: chosen?.street,
      area: chosen?.area,
      polygon: chosen?.polygon?.map(([lon, lat]) => `${lon.toFixed(6)},${lat.toFixed(6)}`).join(';'),
    }
  }

  async #count(chosen: Chosen): Promise<void> {
    const asked = ++this.#asked
    const kinds = Object.entries(city.kinds.assets).filter(
      ([name, kind]) =>
        Object.keys(kind.actions).length > 0 && session.may('order', kind.service) && city.count(name) > 0,
    )
    const counts: Record<string, number> = {}
    if (chosen.form === 'assets') {
      const kind = chosen.ids?.[0]?.replace(/-[^-]*$/, '') ?? ''
      counts[kind] = chosen.ids?.length ?? 0
    } else {
      await Promise.all(
        kinds.map(async ([name]) => {
          const page = await api.get<Page<AssetRow>>('assets', { ...this.query(), kind: name, limit: 1 })
          counts[name] = page.total ?? page.items.length
        }),
      ).catch(() => undefined)
    }
    if (asked === this.#asked) this.counts = Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0))
  }
}

export const selection = new Selection()
