// Cases, as the API says them: what people have to deal with, with a life, a timeline and an owner.

export interface CaseAsset {
  id: string
  name: string
  kind: string
}

export interface Who {
  id: string
  name: string | null
}

/** A case in a list. may: the events by which this person may move it now. */
export interface CaseRow {
  id: string
  number: number
  kind: string
  state: string
  over: boolean
  category: string
  service: string
  area: string
  street: string
  lon: number | null
  lat: number | null
  priority: number
  title: string
  condition: string | null
  asset: CaseAsset | null
  assets: number
  crew: CaseAsset | null
  owner: Who | null
  opened: string
  due: string
  /** When the crew is to be there. */
  planned: string | null
  moved: string
  late: boolean
  may: string[]
  revision: number
}

export interface Happening {
  n: number
  at: string
  who: Who
  what: string
  state: string | null
  text: string | null
  erased: boolean
  crew: string | null
  into: string | null
  /** When it was done, where it was told later. */
  done: string | null
  event: string | null
  fields: string[]
  assets: string[]
  /** What was erased of the document that was written then. */
  gone: { field: string; on: string; rule: string }[]
}

export interface CasePhoto {
  id: string
  width: number
  height: number
  added: string
  who: Who
}

export interface CaseLink {
  case: string
  number: number
  kind: string
  state: string
  relation: string
  whose: 'this' | 'other'
}

export interface Check {
  what: string
  done: boolean
}

export interface Part {
  name: string
  count: number
}

/** The document of a work order. */
export interface WorkOrder {
  takes_min: number
  spent_min: number
  skills: string[]
  checklist: Check[]
  parts: Part[]
}

/** The document of a resident's report. answers: to what was asked, by its code. */
export interface Report {
  answers: Record<string, string[]>
  words_public: boolean
}

/** How to reach who reported it, as far as they said it. */
export interface Contact {
  name: string
  mail: string
  phone: string
}

/** A field of a document that is about persons. until: null as long as the case is not over. */
export interface PrivateField {
  field: string
  /** Whether you are told it. */
  shown: boolean
  until: string | null
  erased: string | null
  rule: string | null
}

/** document: of its kind's own form. contact: for whoever reads personal fields there. */
export interface CaseSheet {
  row: CaseRow
  words: string
  opener: Who
  about: CaseAsset[]
  document: unknown
  photos: CasePhoto[]
  links: CaseLink[]
  timeline: Happening[]
  may_change: boolean
  contact: Contact | null
  private: PrivateField[]
}

export interface MoveKind {
  verb: string
  reason: boolean
  crew: boolean
  by_post: boolean
}

export interface CaseKind {
  key: string
  life: string
  states: string[]
  over: string[]
  moves: Record<string, MoveKind>
  categories: Record<string, string>
  levels_h: Record<string, number>
  working: Record<string, boolean>
  may_open: boolean
}

export interface CrewRow {
  id: string
  name: string
  area: string
  cases: number
}

/** What became of many that were moved. refused: id -> the rule. */
export interface MovedCases {
  moved: CaseRow[]
  refused: Record<string, string>
}

/** What is said with a move. */
export interface Said {
  crew: string
  reason: string
}

/** What is to be otherwise in a case. */
export interface Change {
  title?: string
  words?: string
  priority?: number
  due?: string
  owner?: string
  document?: unknown
}

export const PRIORITIES = [1, 2, 3, 4] as const
/** As many are moved at once by one request. */
export const AT_ONCE_MAX = 500
