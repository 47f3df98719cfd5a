// Where each asset stands, by its number, in columns: taken from the asset tiles, the finest tile wins.
import { api } from '@lib/api'
import { pointsOf } from './mvt'

const TAU = Math.PI * 2

/** Longitude to the unit square of Web Mercator. */
export function mercatorX(lon: number): number {
  return lon / 360 + 0.5
}

/** Latitude to the unit square of Web Mercator. */
export function mercatorY(lat: number): number {
  const sine = Math.sin((lat * Math.PI) / 180)
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (2 * TAU)
}

export function lonOf(x: number): number {
  return (x - 0.5) * 360
}

export function latOf(y: number): number {
  return (Math.atan(Math.exp((0.5 - y) * TAU)) * 360) / Math.PI - 90
}

function grown<A extends Float64Array | Uint8Array>(old: A, make: (n: number) => A, n: number): A {
  const fresh = make(n)
  fresh.set(old)
  return fresh
}

const OVERVIEW_ZOOM = 11
const ZOOM_MIN = 8
const OVERVIEW_TILES_MAX = 256

export class Places {
  /** By asset number; kind is the kind's code + 1, 0 where no such asset is known. */
  x = new Float64Array(0)
  y = new Float64Array(0)
  kind = new Uint8Array(0)
  #zoom = new Uint8Array(0)
  /** One above the highest number known. */
  end = 0
  count = 0
  /** Grows with each change, so that who draws knows when to look again. */
  version = 0
  /** The version of each tile whose points are kept: another one may hold what somebody else made or moved. */
  #seen = new Map<string, string>()

  /** Fetches a tile of assets and keeps its points; the bytes go on to the map. */
  async tile(z: number, x: number, y: number, signal?: AbortSignal): Promise<ArrayBuffer> {
    const answer = await fetch(`/api/v1/tiles/assets/${z}/${x}/${y}.mvt`, {
      credentials: 'same-origin',
      ...(signal ? { signal } : {}),
    })
    if (answer.status === 204 || answer.status === 404) return new ArrayBuffer(0)
    if (!answer.ok) throw new Error(`tile ${z}/${x}/${y}: ${answer.status}`)
    const bytes = await answer.arrayBuffer()
    const key = `${z}/${x}/${y}`
    const version = answer.headers.get('etag') ?? ''
    if (this.#seen.get(key) !== version) {
      this.#seen.set(key, version)
      this.#keep(bytes, z, x, y)
    }
    return bytes
  }

  /** All assets of a box, coarsely: enough to draw the city from afar. A box that no city fills (an empty town, an
   *  asset that was put on another continent) is left to the map, which asks for what it shows. */
  async overview(west: number, south: number, east: number, north: number): Promise<void> {
    for (let z = OVERVIEW_ZOOM; z >= ZOOM_MIN; z--) {
      const side = 2 ** z
      const [x0, x1] = [Math.floor(mercatorX(west) * side), Math.floor(mercatorX(east) * side)]
      const [y0, y1] = [Math.floor(mercatorY(north) * side), Math.floor(mercatorY(south) * side)]
      if ((x1 - x0 + 1) * (y1 - y0 + 1) > OVERVIEW_TILES_MAX) continue
      const tiles: Promise<unknown>[] = []
      for (let x = x0; x <= x1; x++) for (let y = y0; y <= y1; y++) tiles.push(this.tile(z, x, y))
      await Promise.all(tiles)
      return
    }
  }

  /** Puts one asset where it stands now (made, moved), or takes it away (kind null). */
  put(no: number, kind: number | null, lon: number, lat: number): void {
    this.#reserve(no + 1)
    if (!this.kind[no] && kind !== null) this.count += 1
    if (this.kind[no] && kind === null) this.count -= 1
    this.kind[no] = kind === null ? 0 : kind + 1
    this.x[no] = mercatorX(lon)
    this.y[no] = mercatorY(lat)
    this.#zoom[no] = 30
    this.end = Math.max(this.end, no + 1)
    this.version += 1
  }

  has(no: number): boolean {
    return (this.kind[no] ?? 0) > 0
  }

  #keep(bytes: ArrayBuffer, z: number, tileX: number, tileY: number): void {
    const points = pointsOf(bytes, 'assets', 'k')
    const scale = 1 / 2 ** z
    // A coarse tile places an asset less finely than is known already; farther off, it was moved.
    const blur = (2 * scale) / points.extent
    let highest = 0
    for (const no of points.id) if (no > highest) highest = no
    this.#reserve(highest + 1)
    for (let row = 0; row < points.id.length; row++) {
      const no = points.id[row]!
      const x = (tileX + points.x[row]! / points.extent) * scale
      const y = (tileY + points.y[row]! / points.extent) * scale
      if (this.#zoom[no]! > z && Math.hypot(x - this.x[no]!, y - this.y[no]!) < blur) continue
      if (!this.kind[no]) this.count += 1
      this.kind[no] = points.kind[row]! + 1
      this.x[no] = x
      this.y[no] = y
      this.#zoom[no] = z
    }
    this.end = Math.max(this.end, highest + 1)
    if (points.id.length) this.version += 1
  }

  #reserve(size: number): void {
    if (size <= this.kind.length) return
    const room = Math.max(1024, 2 ** Math.ceil(Math.log2(size)))
    this.x = grown(this.x, (n) => new Float64Array(n), room)
    this.y = grown(this.y, (n) => new Float64Array(n), room)
    this.kind = grown(this.kind, (n) => new Uint8Array(n), room)
    this.#zoom = grown(this.#zoom, (n) => new Uint8Array(n), room)
  }
}

export const places = new Places()

/** Used where an asset's id is wanted and only its number is known: the map's tiles carry numbers alone. */
export async function idOf(no: number, signal?: AbortSignal): Promise<string | null> {
  const known = ids.get(no)
  if (known) return known
  if (!places.has(no)) return null
  const lon = lonOf(places.x[no]!)
  const lat = latOf(places.y[no]!)
  const d = 0.0002
  const bbox = [lon - d, lat - d, lon + d, lat + d].map((n) => n.toFixed(6)).join(',')
  const page = await api.get<{ items: { no: number; id: string }[] }>('assets', { bbox, limit: 500 }, signal)
  for (const row of page.items) ids.set(row.no, row.id)
  return ids.get(no) ?? null
}

const ids = new Map<number, string>()

/** Remembers what a row said, so that it need not be asked for. */
export function learn(row: { no: number; id: string }): void {
  ids.set(row.no, row.id)
}
