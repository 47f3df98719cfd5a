// What the post tells a crew, and what the telephone keeps of a day. Instants are RFC 3339 texts.

export interface Named {
  id: string
  name: string
  kind: string
}

export interface Who {
  id: string
  name: string | null
}

export interface Row {
  id: string
  number: number
  kind: string
  state: string
  over: boolean
  category: string
  street: string
  lon: number | null
  lat: number | null
  priority: number
  title: string
  condition: string | null
  asset: Named | null
  assets: number
  crew: Named | null
  due: string
  late: boolean
  may: string[]
}

export interface Check {
  what: string
  done: boolean
}

export interface Part {
  name: string
  count: number
}

/** The document of a work order; another kind of case has another one. */
export interface WorkDocument {
  takes_min?: number
  spent_min?: number
  skills?: string[]
  checklist?: Check[]
  parts?: Part[]
}

export interface Happening {
  n: number
  at: string
  who: Who
  what: string
  state?: string | null
  text?: string | null
  erased?: boolean
  /** When it was done, where that was told later. */
  done?: string | null
  /** What somebody said that the state did not allow any more. */
  event?: string | null
}

export interface Photo {
  id: string
  width: number
  height: number
  added: string
  who: Who
}

export interface Item {
  row: Row
  words: string
  about: (Named & { lon: number; lat: number })[]
  document: WorkDocument | null
  timeline: Happening[]
  photos: Photo[]
  planned: string | null
}

export interface Day {
  now: string
  crew: Named
  cases: Item[]
}

export interface Crew {
  id: string
  name: string
  area: string
  cases: number
}

export type Event = 'start' | 'pause' | 'finish' | 'block'

/** What somebody did, as the post takes it; a photo goes by itself. */
export type Deed =
  | { what: 'move'; event: Event; reason?: string }
  | { what: 'note'; text: string }
  | { what: 'tick'; item: string; done: boolean }
  | { what: 'used'; name: string; count: number }
  | { what: 'spent'; minutes: number }
  | { what: 'photo' }

/** A deed that waits until the post has answered it. */
export interface Waiting {
  /** Its place in the order in which all was done here. */
  n: number
  /** Made here: the post does the same id once. */
  id: string
  user: string
  /** The crew with which it was done; not known of what an earlier version kept. */
  crew?: string
  case: string
  number: number
  at: string
  deed: Deed
  /** Not sent before this instant of the telephone's clock, in ms: until then it can be taken back. */
  from: number
  /** It has left here at least once: the post may have it. */
  tried: boolean
}

/** What the post did otherwise than was asked; kept until somebody has read it. */
export interface Told {
  id: string
  /** Who did it; not known of what an earlier version kept. */
  user?: string
  case: string
  number: number
  at: string
  deed: Deed
  became: 'claimed' | 'refused'
  rule: string | null
  state: string | null
}

export interface Person {
  id: string
  /** Made anew whenever somebody comes to this telephone: what was asked for somebody else's sake is not for them. */
  epoch?: string
  login: string
  name: string
}
