// Pictures: photos made small enough to send, and what of the post's own pictures a day without a network needs.
import { address } from '@lib/api'
import type { Day } from './types'

/** The post keeps no more of a photo either. */
const SIDE_PX = 2_000
const QUALITY = 0.85
/** The service worker looks here (sw.ts). */
const DAY = 'vigie-field-day'
const TILES_MAX = 400
const ZOOM_MIN = 8
const ZOOM_TOWN = 13
const ZOOM_MAX = 15
/** So far around a place its streets are kept, in degrees of latitude: some 450 m. */
const AROUND = 0.004

export class NoPicture extends Error {}

/** A photo as JPEG, upright, with 2,000 px at most on its longer side, and nothing else that the camera says. Throws
    NoPicture where the browser cannot read it. */
export async function shrunk(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null)
  if (!bitmap) throw new NoPicture()
  const scale = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  const paper = canvas.getContext('2d')
  paper?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  // Without it, as where there is no memory left, an empty picture would pass for the photo.
  if (!paper) throw new NoPicture()
  const small = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY))
  if (!small) throw new NoPicture()
  return small
}

export function smallOf(of: string, photo: string): string {
  return address(`cases/${encodeURIComponent(of)}/photos/${encodeURIComponent(photo)}/small`)
}

export function tileAddress(z: number, x: number, y: number): string {
  return address(`tiles/base/${z}/${x}/${y}.mvt`)
}

/** The streets around the places of a day, and the whole round from afar: tiles as [z, x, y]. */
export function tilesOf(day: Day): [number, number, number][] {
  const places = day.cases
    .filter(({ row }) => !row.over && row.lon !== null && row.lat !== null)
    .map(({ row }) => [row.lon as number, row.lat as number] as const)
  if (places.length === 0) return []
  const found = new Map<string, [number, number, number]>()
  const take = (west: number, south: number, east: number, north: number, z: number): void => {
    const [x0, y0] = tileAt(west, north, z)
    const [x1, y1] = tileAt(east, south, z)
    for (let x = x0; x <= x1; x++)
      for (let y = y0; y <= y1; y++) if (found.size < TILES_MAX) found.set(`${z}/${x}/${y}`, [z, x, y])
  }
  const lons = places.map(([lon]) => lon)
  const lats = places.map(([, lat]) => lat)
  const town = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)] as const
  for (let z = ZOOM_MIN; z <= ZOOM_TOWN; z++)
    take(town[0] - AROUND, town[1] - AROUND, town[2] + AROUND, town[3] + AROUND, z)
  for (let z = ZOOM_TOWN + 1; z <= ZOOM_MAX; z++)
    for (const [lon, lat] of places) take(lon - AROUND * 1.4, lat - AROUND, lon + AROUND * 1.4, lat + AROUND, z)
  return [...found.values()]
}

function tileAt(lon: number, lat: number, z: number): [number, number] {
  const n = 2 ** z
  const rad = (lat * Math.PI) / 180
  const x = ((lon + 180) / 360) * n
  const y = ((1 - Math.log(Math.tan(rad) + 1 / Math.cos(rad)) / Math.PI) / 2) * n
  return [Math.min(n - 1, Math.max(0, Math.floor(x))), Math.min(n - 1, Math.max(0, Math.floor(y)))]
}

let keeping = false

/** Keeps the day's streets and photos for when there is no network; what belongs to no case of it any more goes. isHere:
    whether whose day it is is still here. */
export async function keepDay(day: Day, isHere: () => Promise<boolean>): Promise<void> {
  if (!('caches' in window) || keeping) return
  keeping = true
  try {
    const photos = day.cases.flatMap(({ row, photos }) => photos.map((photo) => smallOf(row.id, photo.id)))
    const wanted = new Set([...photos, ...tilesOf(day).map(([z, x, y]) => tileAddress(z, x, y))])
    const cache = await caches.open(DAY)
    for (const each of await cache.keys()) {
      if (!wanted.delete(new URL(each.url).pathname)) await cache.delete(each)
    }
    for (const each of wanted) {
      const answer = await fetch(each, { credentials: 'same-origin' })
      // What there is no tile of is kept as well: nothing lies there.
      if (answer.ok) await cache.put(each, answer)
      if (!(await isHere())) {
        await forgetDay()
        return
      }
    }
  } catch {
    // no network any more, or no room: what is kept so far serves, and the next reading of the day goes on
  } finally {
    keeping = false
  }
}

/** What was sent is still to be seen without a network. */
export async function keepSmall(of: string, photo: string, picture: Blob): Promise<void> {
  try {
    await (await caches.open(DAY)).put(smallOf(of, photo), new Response(picture, { headers: { 'Content-Type': 'image/jpeg' } }))
  } catch {
    // it is at the post: only here it is not to be seen
  }
}

export async function forgetDay(): Promise<void> {
  if ('caches' in window) await caches.delete(DAY)
}
