// The map: MapLibre below, two canvases above (signs, movers), and the live view of what is on screen.
import { addProtocol, Map as MapLibre, setWorkerUrl, type LngLatBoundsLike, type VectorTileSource } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { live, type Handle } from '@lib/live.svelte'
import type { Theme } from '@lib/prefs.svelte'
import type { StreetTraffic } from '@lib/traffic'
import type { Area, Bounds, City, Kinds } from '@lib/types'
import type { Covered } from '../state/map.svelte'
import { movers } from '../state/movers'
import { picture } from '../state/picture'
import { shown } from '../state/shown'
import type { Step } from '../state/targets.svelte'
import { LampStates, lampLayer, LAMPS, LAMPS_ZOOM } from './lamps'
import { Lights } from './lights'
import { lookOf } from './looks'
import { areaLabels, Overlay } from './overlay'
import { paletteOf } from './palette'
import { places } from './places'
import { Screen } from './screen'
import { Streaks } from './streaks'
import { areaNamed, ASSET_TILES, CHOSEN_AREA, CHOSEN_STREET, NOTHING, streetWithin, styleOf } from './style'
import { Traffic, type MoverKind } from './traffic'

setWorkerUrl(workerUrl)

/** The live picture repaints the map at most so often; movers glide on their own canvas. */
const REPAINT_MS = 400
const MOVER_FRAME_MS = 40
const AGE_MS = 10_000
const ZOOM_MIN = 8.5
const ZOOM_MAX = 20
/** Room around what is shown: what is covered, the bar above, and a margin that a phone has less of. */
function paddingFor({ left, right, bottom }: Covered): { top: number; bottom: number; left: number; right: number } {
  const side = right ? 84 : 24
  return { top: 70, bottom: 16 + bottom, left: Math.max(side, 24 + left), right: 24 + right }
}

/** So far beyond the city's bounds its assets are looked for, in degrees. */
const MARGIN = 0.02

addProtocol('vigie-assets', async ({ url }, abort) => {
  const [z, x, y] = url.slice('vigie-assets://'.length).split('/').map(Number) as [number, number, number]
  return { data: await places.tile(z, x, y, abort.signal) }
})

export interface Pick {
  no: number
  x: number
  y: number
}

export interface ChartOptions {
  container: HTMLElement
  signs: HTMLCanvasElement
  traffic: HTMLCanvasElement
  city: City
  kinds: Kinds
  theme: Theme
  start: { lon: number; lat: number; zoom: number } | null
  /** Width of what covers the map's right side, in px. */
  covered: Covered
  moverKind: (no: number) => MoverKind | undefined
  onMoved: (place: { lon: number; lat: number; zoom: number }) => void
}

export class CityChart {
  readonly map: MapLibre
  readonly screen = new Screen()
  readonly lights = new Lights()
  readonly lamps = new LampStates()
  readonly overlay: Overlay
  readonly traffic: Traffic
  readonly streaks = new Streaks()
  /** Drawn over everything else on the signs' canvas: the lasso, a place being chosen. */
  paintOver: ((ink: CanvasRenderingContext2D) => void) | null = null

  #options: ChartOptions
  #signs: CanvasRenderingContext2D
  #moving: CanvasRenderingContext2D
  #view: Handle | null = null
  #subscribed: Bounds | null = null
  #hidden: ReadonlySet<string> = new Set()
  #chosen: Parameters<CityChart['setChosen']>[0] = null
  #theme: Theme
  #loaded = false
  #closed = false
  #repaintTimer: ReturnType<typeof setTimeout> | undefined
  #viewTimer: ReturnType<typeof setTimeout> | undefined
  #halting = false
  #ageTimer: ReturnType<typeof setInterval>
  #moverFrame = 0
  #streaksTimer: ReturnType<typeof setTimeout> | undefined
  #moverLast = 0
  #pictureVersion = -1
  #reduced = matchMedia('(prefers-reduced-motion: reduce)')

  constructor(options: ChartOptions) {
    this.#options = options
    this.#theme = options.theme
    const palette = paletteOf(options.theme)
    this.overlay = new Overlay(palette)
    this.traffic = new Traffic(palette)
    this.traffic.kindOf = options.moverKind
    this.overlay.cones.onKnown = () => this.redraw()
    this.#signs = canvas2d(options.signs)
    this.#moving = canvas2d(options.traffic)
    this.#setKinds(options.kinds)
    const { start, city } = options
    const [w, s, e, n] = city.bounds
    this.map = new MapLibre({
      container: options.container,
      style: styleOf(palette, options.theme === 'light', location.origin),
      ...(start
        ? { center: [start.lon, start.lat] as [number, number], zoom: start.zoom }
        : { bounds: city.bounds as LngLatBoundsLike, fitBoundsOptions: { padding: paddingFor(options.covered) } }),
      minZoom: ZOOM_MIN,
      maxZoom: ZOOM_MAX,
      maxPitch: 0,
      dragRotate: false,
      touchPitch: false,
      pitchWithRotate: false,
      renderWorldCopies: false,
      attributionControl: false,
      // Labels that fade have the whole map drawn anew for as long as they do.
      fadeDuration: this.#reduced.matches ? 0 : 120,
      maxBounds: [w - 0.6, s - 0.4, e + 0.6, n + 0.4],
      pixelRatio: Math.min(2, devicePixelRatio),
      // What is drawn smooths its own edges: four samples a pixel would cost twice the time without a graphics card.
      canvasContextAttributes: { antialias: false, preserveDrawingBuffer: false },
    })
    this.map.touchZoomRotate.disableRotation()
    this.map.keyboard.disableRotation()
    this.map.on('style.load', () => this.#addLayers())
    this.map.on('load', () => (this.#loaded = true))
    this.map.on('render', () => this.#drawOver())
    this.map.on('moveend', () => this.#moved())
    this.map.on('resize', () => this.#drawOver())
    this.#ageTimer = setInterval(() => this.#age(), AGE_MS)
    this.#overview()
    this.#watch()
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#ageTimer)
    clearTimeout(this.#repaintTimer)
    clearTimeout(this.#viewTimer)
    cancelAnimationFrame(this.#moverFrame)
    clearTimeout(this.#streaksTimer)
    this.#view?.close()
    this.map.remove()
  }

  setTheme(theme: Theme): void {
    if (theme === this.#theme) return
    this.#theme = theme
    const palette = paletteOf(theme)
    this.overlay.palette = palette
    this.traffic.palette = palette
    this.lights.light = theme === 'light'
    const style = styleOf(palette, theme === 'light', location.origin)
    for (const layer of [...style.layers, this.#lampLayer()]) {
      if (!this.map.getLayer(layer.id)) continue
      for (const [name, value] of Object.entries(layer.paint ?? {})) {
        this.map.setPaintProperty(layer.id, name as never, value as never)
      }
    }
    this.map.triggerRepaint()
  }

  setHidden(hidden: ReadonlySet<string>): void {
    this.#hidden = hidden
    this.streaks.hidden = hidden.has('signals')
    this.#setKinds(this.#options.kinds)
    if (this.map.getLayer(LAMPS)) {
      this.map.setFilter(LAMPS, ['in', ['get', 'k'], ['literal', [...this.lights.codes]]])
    }
    this.lights.refresh()
    this.#subscribed = null
    this.#subscribe()
    this.map.triggerRepaint()
  }

  /** How traffic flows in the streets where it is counted. */
  setFlowing(streets: readonly StreetTraffic[]): void {
    this.streaks.set(streets)
    this.redraw()
  }

  setAreas(areas: Area[]): void {
    this.overlay.areas = areaLabels(areas)
    this.redraw()
  }

  setCounts(counts: ReadonlyMap<string, [number, number, number]>): void {
    this.overlay.counts = counts
    this.redraw()
  }

  setSelected(no: number): void {
    this.overlay.selected = no
    this.traffic.selected = no
    this.redraw()
  }

  /** Rings around what is selected or ordered. */
  setTargets(targets: ReadonlyMap<number, Step>): void {
    this.overlay.targets = targets
    this.redraw()
  }

  /** Lights up a street within a box, or an area by its name, or neither. */
  setChosen(chosen: { street?: string; within?: Bounds; area?: string } | null): void {
    this.#chosen = chosen
    if (!this.map.getLayer(CHOSEN_STREET)) return
    const { street, within, area } = chosen ?? {}
    this.map.setFilter(CHOSEN_STREET, street && within ? streetWithin(street, within) : NOTHING)
    this.map.setFilter(CHOSEN_AREA, area ? areaNamed(area) : NOTHING)
  }

  /** Draws the canvases anew without the map. */
  redraw(): void {
    if (this.#loaded) this.#drawOver()
  }

  /** The inventory has changed: its tiles are asked for again. A tile that is the same is not sent again. */
  reloadAssets(): void {
    this.map.getSource<VectorTileSource>('assets')?.setTiles([ASSET_TILES])
    this.lamps.forget()
    this.#overview()
  }

  /** All assets, wherever they are: those out of view are drawn from afar. */
  #overview(): void {
    const [w, s, e, n] = this.#options.city.bounds
    void places
      .overview(w - MARGIN, s - MARGIN, e + MARGIN, n + MARGIN)
      .catch(() => undefined)
      .then(() => this.map.triggerRepaint())
  }

  /** What is under a point of the screen: a mover, a sign, a lamp. */
  pick(x: number, y: number): Pick | null {
    // A preview shows lamps alone.
    if (shown.levels) return this.#pickLamp(x, y)
    for (const hit of this.traffic.hits) {
      if (Math.hypot(hit.x - x, hit.y - y) < 12) return hit
    }
    let best: Pick | null = null
    let nearest = Infinity
    for (const hit of this.overlay.hits) {
      const d = Math.hypot(hit.x - x, hit.y - y)
      if (d < hit.r + 4 && d < nearest && hit.no) {
        nearest = d
        best = hit
      }
    }
    return best ?? this.#pickLamp(x, y)
  }

  #pickLamp(x: number, y: number): Pick | null {
    let best: Pick | null = null
    let nearest = Infinity
    if (!this.map.getLayer(LAMPS) || this.screen.zoom < LAMPS_ZOOM) return null
    const reach = this.screen.zoom > 16 ? 9 : 5
    const found = this.map.queryRenderedFeatures(
      [
        [x - reach, y - reach],
        [x + reach, y + reach],
      ],
      { layers: [LAMPS] },
    )
    for (const feature of found) {
      const no = Number(feature.id)
      const px = this.screen.x(places.x[no] ?? 0)
      const py = this.screen.y(places.y[no] ?? 0)
      const d = Math.hypot(px - x, py - y)
      if (d < nearest) {
        nearest = d
        best = { no, x: px, y: py }
      }
    }
    return best
  }

  /** The cluster or area name under a point: a click on it goes nearer. */
  pickGroup(x: number, y: number): { lon: number; lat: number; area: string | null } | null {
    for (const hit of this.overlay.hits) {
      if (hit.no || Math.hypot(hit.x - x, hit.y - y) > hit.r + 2) continue
      const px = this.screen.x(hit.unitX)
      const py = this.screen.y(hit.unitY)
      return { lon: this.screen.lon(px), lat: this.screen.lat(py), area: hit.area ?? null }
    }
    return null
  }

  go(lon: number, lat: number, zoom?: number, offset: [number, number] = [0, 0]): void {
    const target = { center: [lon, lat] as [number, number], zoom: zoom ?? this.map.getZoom(), offset }
    this.#halt()
    // A jump of the map's own would know no offset.
    this.map.easeTo({ ...target, duration: this.#reduced.matches ? 0 : 500 })
  }

  fit(bounds: Bounds, covered: Covered): void {
    this.#halt()
    this.map.fitBounds(bounds as LngLatBoundsLike, {
      padding: paddingFor(covered),
      duration: this.#reduced.matches ? 0 : 500,
      maxZoom: 17,
    })
  }

  #setKinds(kinds: Kinds): void {
    const codes = new Set<number>()
    for (const kind of Object.values(kinds.assets)) {
      const look = lookOf(kind)
      const hidden = this.#hidden.has(kind.service)
      const shown = kind.points[kind.shown]
      this.overlay.drawn[kind.code] = { look, icon: kind.icon, speaks: !!shown, choices: shown?.choices ?? [] }
      this.overlay.shown[kind.code + 1] = hidden || look.form === 'none' ? 0 : 1
      if (look.form === 'light' && !hidden) codes.add(kind.code)
    }
    this.overlay.refresh()
    this.lights.codes = codes
    this.lamps.codes = codes
  }

  #lampLayer(): ReturnType<typeof lampLayer> {
    return lampLayer([...this.lights.codes], paletteOf(this.#theme))
  }

  #addLayers(): void {
    this.lights.light = this.#theme === 'light'
    this.map.addLayer(this.lights, 'street-names')
    this.map.addLayer(this.#lampLayer(), 'street-names')
    this.setChosen(this.#chosen)
  }

  #drawOver(): void {
    this.screen.update(this.map)
    if (this.lamps.pass(this.map)) requestAnimationFrame(() => this.map.triggerRepaint())
    const ink = this.#signs
    fit(ink, this.screen)
    this.overlay.draw(ink, this.screen, live.now() / 1000)
    this.paintOver?.(ink)
    this.#drawTraffic()
  }

  #drawTraffic(): void {
    cancelAnimationFrame(this.#moverFrame)
    clearTimeout(this.#streaksTimer)
    if (this.#closed) return
    fit(this.#moving, this.screen)
    this.#moverLast = performance.now()
    const streaksMs = this.streaks.draw(this.#moving, this.traffic.palette, this.screen, this.#moverLast)
    const gliding = this.traffic.draw(this.#moving, this.screen, this.#moverLast, live.now() / 1000)
    if (this.#reduced.matches || document.hidden) return
    if (gliding) this.#glide()
    else if (streaksMs) this.#streaksTimer = setTimeout(() => this.#drawTraffic(), streaksMs)
  }

  #glide(): void {
    this.#moverFrame = requestAnimationFrame((now) => {
      if (this.#closed) return
      if (now - this.#moverLast < MOVER_FRAME_MS) this.#glide()
      else this.#drawTraffic()
    })
  }

  #watch(): void {
    this.map.once('load', () => this.#subscribe())
  }

  /** Ends a move that is under way. Where it is cut off is no place that anybody asked for, and is not told. */
  #halt(): void {
    this.#halting = true
    this.map.stop()
    this.#halting = false
  }

  #moved(): void {
    if (this.#halting) return
    const { lng, lat } = this.map.getCenter()
    this.#options.onMoved({ lon: lng, lat, zoom: this.map.getZoom() })
    clearTimeout(this.#viewTimer)
    this.#viewTimer = setTimeout(() => this.#subscribe(), 120)
  }

  /** Asks for the live view of what is on screen and a margin; not again while that holds what is seen. */
  #subscribe(): void {
    if (this.#closed) return
    const bounds = this.map.getBounds()
    const seen: Bounds = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()]
    const had = this.#subscribed
    const wide = had ? (had[2] - had[0]) / (seen[2] - seen[0]) : Infinity
    if (had && wide < 8 && seen[0] >= had[0] && seen[1] >= had[1] && seen[2] <= had[2] && seen[3] <= had[3]) return
    const dx = (seen[2] - seen[0]) * 0.4
    const dy = (seen[3] - seen[1]) * 0.4
    const bbox: Bounds = [seen[0] - dx, seen[1] - dy, seen[2] + dx, seen[3] + dy]
    this.#subscribed = bbox
    const topic = { subscribe: { bbox, kinds: this.#kindsShown(), cells: null } }
    if (this.#view) this.#view.change(topic)
    else this.#view = live.subscribe(topic, (frame) => this.#take(frame))
  }

  #kindsShown(): string[] | null {
    if (this.#hidden.size === 0) return null
    return Object.entries(this.#options.kinds.assets)
      .filter(([, kind]) => !this.#hidden.has(kind.service))
      .map(([name]) => name)
  }

  #take(frame: Parameters<typeof picture.take>[0]): void {
    const { header } = frame
    if (header.type !== 'snapshot' && header.type !== 'delta') return
    if (header.moving) {
      movers.take(frame, performance.now())
      if (this.#loaded && !document.hidden) this.#drawTraffic()
      return
    }
    if (picture.epoch && header.epoch !== undefined && header.epoch !== picture.epoch) movers.clear()
    picture.take(frame)
    this.#repaintSoon(header.type === 'snapshot' ? 0 : REPAINT_MS)
  }

  #repaintSoon(after: number): void {
    if (after === 0) {
      clearTimeout(this.#repaintTimer)
      this.#repaintTimer = undefined
      this.map.triggerRepaint()
      return
    }
    this.#repaintTimer ??= setTimeout(() => {
      this.#repaintTimer = undefined
      this.map.triggerRepaint()
    }, after)
  }

  #age(): void {
    picture.age(live.now() / 1000)
    if (this.#pictureVersion !== picture.version) this.map.triggerRepaint()
    else if (movers.all.size) this.#drawTraffic()
    this.#pictureVersion = picture.version
  }
}

function canvas2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const ink = canvas.getContext('2d')
  if (!ink) throw new Error('this browser draws no canvas')
  return ink
}

/** Sets a canvas to the screen's size in real pixels, and empties it. */
function fit(ink: CanvasRenderingContext2D, screen: Screen): void {
  const ratio = Math.min(2, devicePixelRatio)
  const width = Math.round(screen.width * ratio)
  const height = Math.round(screen.height * ratio)
  if (ink.canvas.width !== width || ink.canvas.height !== height) {
    ink.canvas.width = width
    ink.canvas.height = height
  }
  ink.setTransform(ratio, 0, 0, ratio, 0, 0)
  ink.clearRect(0, 0, screen.width, screen.height)
}
