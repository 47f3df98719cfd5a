// The city this post watches: its areas, and the kinds of things it knows. Asked again when the inventory changes.
import { api } from '@lib/api'
import { setZone } from '@lib/format'
import { tFirst } from '@lib/i18n.svelte'
import type { Frame } from '@lib/frames'
import { live } from '@lib/live.svelte'
import type { Area, AssetKind, City, Kinds, Page, AssetRow } from '@lib/types'
import { learn } from '../map/places'
import { picture } from './picture'

/** An import changes the inventory many times in a row. */
const SOON_MS = 500

export type Phase = 'loading' | 'ready' | 'failed'

class CityState {
  phase = $state<Phase>('loading')
  city = $state.raw<City | null>(null)
  kinds = $state.raw<Kinds>({ assets: {}, conditions: {}, lives: {} })
  /** Kind names by their code. */
  byCode = $state.raw<string[]>([])
  /** Services in the order they are declared, those first that own something here. */
  services = $state.raw<string[]>([])
  /** Moving assets by their number: they are too few to be spared an object each. */
  movers = $state.raw<Map<number, AssetRow>>(new Map())
  /** Grows whenever somebody has changed the inventory. */
  edition = $state(0)
  #areas = $state.raw<Map<string, Area>>(new Map())
  #ends: (() => void)[] = []
  #inventory = ''
  #timer: ReturnType<typeof setTimeout> | undefined

  start(): void {
    void this.load()
    const inventory = live.subscribe({ inventory: {} }, (frame) => this.#told(frame))
    this.#ends = [() => inventory.close(), live.onBack(() => void this.refresh())]
  }

  stop(): void {
    for (const end of this.#ends) end()
    clearTimeout(this.#timer)
    this.#inventory = ''
  }

  async load(): Promise<void> {
    this.phase = 'loading'
    try {
      const [city, kinds] = await Promise.all([api.get<City>('city'), api.get<Kinds>('kinds')])
      this.#take(city, kinds)
      this.phase = 'ready'
      await this.#loadMovers()
    } catch {
      if (this.phase !== 'ready') this.phase = 'failed'
    }
  }

  /** Asks again for what grows old: the areas, the counts, the sun, what moves. What fails is left as it was. */
  async refresh(): Promise<void> {
    if (this.phase !== 'ready') return
    try {
      this.#take(await api.get<City>('city'), this.kinds)
      await this.#loadMovers()
    } catch {
      // the next change asks again, or the link when it is back
    }
  }

  #told(frame: Frame): void {
    const told = (frame.header.data as { edition?: string } | undefined)?.edition ?? ''
    const before = this.#inventory
    this.#inventory = told
    if (before === '' || before === told) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.edition += 1
      void this.refresh()
    }, SOON_MS)
  }

  #take(city: City, kinds: Kinds): void {
    setZone(city.zone)
    this.city = city
    this.kinds = kinds
    this.#areas = new Map(city.areas.map((area) => [area.path, area]))
    const byCode: string[] = []
    for (const [name, kind] of Object.entries(kinds.assets)) {
      byCode[kind.code] = name
      const shown = kind.points[kind.shown]
      picture.valid[kind.code] = shown ? shown.valid_s : Infinity
    }
    this.byCode = byCode
    this.services = [
      ...new Set(
        Object.entries(kinds.assets)
          .filter(([name, kind]) => !kind.area && kind.shape === 'point' && (city.assets[name] ?? 0) > 0)
          .map(([, kind]) => kind.service),
      ),
    ]
  }

  /** What moves is not in the tiles: its names are asked for, kind by kind. */
  async #loadMovers(): Promise<void> {
    const found = new Map<number, AssetRow>()
    for (const [name, kind] of Object.entries(this.kinds.assets)) {
      if (!moves(kind)) continue
      let cursor: string | null = null
      do {
        const page: Page<AssetRow> = await api.get('assets', { kind: name, limit: 500, cursor })
        for (const row of page.items) {
          found.set(row.no, row)
          learn(row)
        }
        cursor = page.next
      } while (cursor)
    }
    this.movers = found
  }

  kind(name: string): AssetKind | undefined {
    return this.kinds.assets[name]
  }

  area(path: string): Area | undefined {
    return this.#areas.get(path)
  }

  /** The smallest area's name in an area path. */
  areaName(path: string): string {
    return this.area(path)?.name ?? path.slice(path.lastIndexOf('/') + 1)
  }

  /** "lighting" for a luminaire: the service that owns a kind. */
  serviceOf(kind: string): string {
    return this.kinds.assets[kind]?.service ?? ''
  }

  /** How many of a kind the city has. */
  count(kind: string): number {
    return this.city?.assets[kind] ?? 0
  }

  get nowMs(): number {
    return live.now()
  }
}

/** Whether assets of a kind report where they are. */
export function moves(kind: AssetKind): boolean {
  return Object.values(kind.points).some((point) => point.sort === 'place')
}

export function kindWord(kind: string, many = false): string {
  return many ? tFirst(`kind.${kind}.many`, `kind.${kind}`) : tFirst(`kind.${kind}`)
}

export const city = new CityState()
