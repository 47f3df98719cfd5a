// The inventory by hand: a place is chosen on the map, then confirmed with a reason.
import { api, Problem } from '@lib/api'
import { t } from '@lib/i18n.svelte'
import type { AssetRow, AssetSheet, Value } from '@lib/types'
import { places } from '../map/places'
import { city } from './city.svelte'
import { mapState } from './map.svelte'
import { notices } from './notices.svelte'
import { selection } from './selection.svelte'
import { sheet } from './sheet.svelte'
import { view } from './view.svelte'

export interface Draft {
  id?: string
  kind: string
  name: string
  street?: string
  parent?: string
  reason: string
  attributes: Record<string, Value>
}

class Editing {
  /** The asset that is being moved; null while one is being made. */
  moving = $state.raw<AssetSheet | null>(null)
  /** Where it shall stand. */
  place = $state.raw<{ lon: number; lat: number } | null>(null)
  busy = $state(false)

  get on(): boolean {
    return selection.tool === 'create' || selection.tool === 'move'
  }

  startCreate(): void {
    this.moving = null
    this.place = null
    selection.tool = 'create'
  }

  startMove(asset: AssetSheet): void {
    this.moving = asset
    this.place = { lon: asset.lon, lat: asset.lat }
    selection.tool = 'move'
    mapState.go(asset.lon, asset.lat, 18)
  }

  /** A click or a drag on the map while a place is wanted. */
  put(lon: number, lat: number): void {
    this.place = { lon, lat }
    mapState.chart?.redraw()
  }

  /** Where the map looks, for whoever does not point. */
  putInMiddle(): void {
    const at = mapState.middle()
    if (at) this.put(at.lon, at.lat)
  }

  stop(): void {
    this.moving = null
    this.place = null
    if (this.on) selection.tool = 'none'
    mapState.chart?.redraw()
  }

  async create(draft: Draft): Promise<void> {
    const place = this.place
    if (!place) return
    await this.#do(async () => {
      const made = await api.post<AssetRow>('assets', { ...draft, ...place })
      this.#known(made.no, made.kind, made.lon, made.lat)
      notices.say(t('console.inventory.made', { id: made.id }))
      view.openAsset(made.id)
    })
  }

  async move(reason: string): Promise<void> {
    const { moving, place } = this
    if (!moving || !place) return
    await this.#do(async () => {
      await api.patch(`assets/${encodeURIComponent(moving.id)}`, { ...place, reason })
      this.#known(moving.no, moving.kind, place.lon, place.lat)
      notices.say(t('console.inventory.moved', { id: moving.id }))
      await sheet.load()
    })
  }

  retired(asset: AssetRow): void {
    places.put(asset.no, null, asset.lon, asset.lat)
    view.openAsset(null)
  }

  #known(no: number, kind: string, lon: number, lat: number): void {
    places.put(no, city.kind(kind)?.code ?? 0, lon, lat)
  }

  async #do(what: () => Promise<void>): Promise<void> {
    this.busy = true
    try {
      await what()
      this.stop()
    } catch (error) {
      notices.problem(error instanceof Problem ? error : null)
    } finally {
      this.busy = false
    }
  }
}

export const editing = new Editing()
