// The live picture as this browser knows it: one slot per asset number, in columns, never one object per lamp.
import type { Frame } from '@lib/frames'
import { places } from '../map/places'

export const OLD = 1
export const ORDER = 2
export const CONSIGNED = 4
export const GONE = 8
/** By its own word an order holds it, or full light. */
export const RULED = 16

export class Picture {
  value = new Float32Array(0)
  /** Observed, in seconds since 1970; 0 where nothing was. */
  at = new Float64Array(0)
  worst: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  flags = new Uint8Array(0)
  /** One above the highest number heard of. */
  end = 0
  /** Grows with each change. */
  version = 0
  epoch = ''
  /** For each kind's code, how long its shown value stays true, in seconds. */
  valid = new Float64Array(256).fill(Infinity)

  /** Takes a snapshot or a delta. Another epoch begins a new picture, and so does a snapshot that says so: what was
      known before is forgotten. */
  take(frame: Frame): void {
    const { header, rows, columns } = frame
    if (header.epoch !== undefined && (header.epoch !== this.epoch || header.forget)) {
      if (this.epoch) this.forget()
      this.epoch = header.epoch
    }
    const no = columns['no']
    if (!no) return
    let highest = 0
    for (let row = 0; row < rows; row++) if (no[row]! > highest) highest = no[row]!
    this.#reserve(highest + 1)
    const { value, at_s: at, worst, flags } = columns
    for (let row = 0; row < rows; row++) {
      const slot = no[row]!
      if (value) this.value[slot] = value[row]!
      if (at) this.at[slot] = Number.isFinite(at[row]!) ? at[row]! : 0
      if (worst) this.worst[slot] = worst[row]!
      if (flags) this.flags[slot] = flags[row]!
    }
    this.end = Math.max(this.end, highest + 1)
    this.version += 1
  }

  /** Nothing is known of any asset any more. */
  forget(): void {
    this.value.fill(NaN)
    this.at.fill(0)
    this.worst.fill(0)
    this.flags.fill(0)
    this.version += 1
  }

  known(no: number): boolean {
    return no < this.end && !Number.isNaN(this.value[no])
  }

  gone(no: number): boolean {
    return no < this.end && (this.flags[no]! & GONE) > 0
  }

  /** Whether the value is past its time, by the post's word or, when the post is silent, by the clock. */
  old(no: number, nowS: number): boolean {
    if (no >= this.end) return false
    if (this.flags[no]! & OLD) return true
    const kind = places.kind[no] ?? 0
    const at = this.at[no]!
    return at > 0 && kind > 0 && nowS - at > this.valid[kind - 1]!
  }

  /** Marks what has grown old by the clock alone; called now and then while the link is lost. */
  age(nowS: number): void {
    let changed = false
    for (let no = 1; no < this.end; no++) {
      if (this.flags[no]! & OLD || !this.old(no, nowS)) continue
      this.flags[no]! |= OLD
      changed = true
    }
    if (changed) this.version += 1
  }

  #reserve(size: number): void {
    if (size <= this.value.length) return
    const room = Math.max(1024, 2 ** Math.ceil(Math.log2(size)))
    const value = new Float32Array(room).fill(NaN)
    value.set(this.value)
    this.value = value
    const at = new Float64Array(room)
    at.set(this.at)
    this.at = at
    this.worst = lengthened(this.worst, room)
    this.flags = lengthened(this.flags, room)
  }
}

function lengthened(old: Uint8Array, room: number): Uint8Array<ArrayBuffer> {
  const fresh = new Uint8Array(room)
  fresh.set(old)
  return fresh
}

export const picture = new Picture()
