// The post's answers, as its API says them. Instants are RFC 3339 texts.

export interface User {
  id: string
  login: string
  name: string
  language: string
}

export interface Role {
  role: string
  area: string
  services: string[]
  verbs: string[]
}

export interface Session {
  user: User
  roles: Role[]
  csrf: string
}

export type Bounds = [west: number, south: number, east: number, north: number]

export interface Area {
  path: string
  name: string
  kind: string
  asset: string
  bounds: Bounds
  lon: number
  lat: number
}

export interface City {
  name: string
  zone: string
  bounds: Bounds
  shard: string
  now: string
  version: string
  sun: { rise: string | null; set: string | null } | null
  assets: Record<string, number>
  areas: Area[]
}

export type Sort = 'number' | 'flag' | 'choice' | 'place' | 'text' | 'instant'
export type Value = number | boolean | string | [number, number] | null

export interface PointKind {
  sort: Sort
  unit: string
  low: number | null
  high: number | null
  valid_s: number
  public: boolean
  choices: string[]
  /** The point of a text that this number stands for in proofs; people read that one. */
  stands_for: string
}

export interface AttributeKind {
  sort: Sort
  unit: string
  choices: string[]
  public: boolean
}

export interface Param {
  name: string
  sort: Sort
  unit: string
  low: number | null
  high: number | null
  choices: string[]
  /** What the post puts where it is not said. */
  default: 'dawn' | 'unsaid' | 'empty' | 'longest' | null
  /** How far ahead an instant may lie. */
  ahead_s: number | null
}

/** How what an order sets ends: at the parameter `until`, or before by the order `ends`. */
export interface Hold {
  until: string
  point: string
  held: Value
  free: Value
  ends: string
  end_params: Record<string, Value>
  keeper: 'device' | 'post'
}

export type Hazard = 'none' | 'confirm' | 'two_person'

export interface ActionKind {
  params: Param[]
  proof: { point: string; param: string; equals: Value; tolerance: number } | null
  hazard: Hazard
  expires_s: number
  proof_s: number
  once: boolean
  holds: Hold | null
  /** Whether it goes out a few targets at a time. */
  paced: boolean
  /** Whether it needs a reason. */
  answered: boolean
  /** Orders that a form offers whole, by name. */
  presets: Record<string, { params: Record<string, Value>; lasts_s: number | null }>
}

export interface AssetKind {
  code: number
  service: string
  shape: 'point' | 'line' | 'surface'
  icon: string
  shown: string
  public: boolean
  area: boolean
  points: Record<string, PointKind>
  attributes: Record<string, AttributeKind>
  actions: Record<string, ActionKind>
}

export type Outlet = 'alarm' | 'maintenance' | 'record'

export interface ConditionKind {
  code: number
  service: string
  outlet: Outlet
  priority: number
}

export interface Kinds {
  assets: Record<string, AssetKind>
  conditions: Record<string, ConditionKind>
  lives: Record<string, unknown>
}

export interface Shown {
  point: string
  value: Value
  at: string | null
  old: boolean
}

export interface AssetRow {
  no: number
  id: string
  kind: string
  name: string
  lon: number
  lat: number
  area: string
  street: string | null
  state: { worst: number; shown: Shown | null }
}

export interface Reading {
  point: string
  value: Value
  at: string
  received: string
  old: boolean
  quality: string
}

export interface ConditionOfAsset {
  id: string
  condition: string
  outlet: Outlet
  priority: number
  state: string
  raised: string
  cleared?: string | null
  evidence: Record<string, number | string | boolean>
}

export interface Alarm extends ConditionOfAsset {
  asset: AssetRow
  acknowledged_by: { id: string; name: string | null } | string | null
}

export interface Consignation {
  id: string
  asset: AssetRow | string
  crew: string
  reason: string
  since: string
  state: string
  by_parent?: string | null
  override_asked_by?: { id: string; name: string | null } | null
}

export interface DeviceSpan {
  serial: string
  model: string
  since: string
  until?: string | null
}

export interface CommandOfAsset {
  id: string
  action: string
  params: Record<string, Value>
  state: string
  outcome: string | null
  at: string
  actor: { id: string; name: string | null } | null
}

export interface AssetSheet extends AssetRow {
  attributes: Record<string, Value>
  geometry: unknown
  points: Reading[]
  /** Why it is not followed now, and which points nothing is taken in of then. */
  withheld: 'off_hours' | 'private' | null
  unfollowed: string[]
  conditions: ConditionOfAsset[]
  commands: CommandOfAsset[]
  parent: AssetRow | null
  children: { total: number; items: AssetRow[] }
  neighbours: AssetRow[]
  consignation: { id?: string; crew: string; since: string; reason: string; by_parent: string | null } | null
  actions: string[]
  device: DeviceSpan | null
  devices: DeviceSpan[]
}

export interface History {
  point: string
  unit: string
  bucket_s: number
  /** Numbers, but for the text of a point that is one. */
  rows: number[][]
  raw: boolean
}

export interface Found {
  type: 'asset' | 'street' | 'area'
  id: string
  kind: string
  name: string
  context: string
  lon: number
  lat: number
}

export interface ServiceFigures {
  assets: number
  alarm1: number
  alarm2: number
  alarm3: number
  maintenance: number
  old: number
  figures: { key: string; value: number | null; unit: string }[]
}

export interface Figures {
  services: Record<string, ServiceFigures>
}

/** What an order is given to: its selection is frozen to assets when it is proposed. */
export type Select =
  | { assets: string[] }
  | { street: string; area?: string; kind?: string }
  | { area: string; kind?: string }
  | { polygon: [number, number][]; kind?: string }
  | { order: string }

export interface Refusal {
  rule: string
  detail: Record<string, string | number>
}

export interface Order {
  action: string
  params: Record<string, Value>
  select: Select
}

export interface Preview {
  targets: number
  already: number
  refused: (Refusal & { count: number; examples: string[] })[]
  /** What is to be known of those whom nothing refuses. */
  advice: (Refusal & { count: number; examples: string[] })[]
  hazard: Hazard
  from: { min: number; max: number } | null
  old: number
  /** When it is over. */
  until: string | null
  /** How many would stay so, for nobody ends it there. */
  stays: number
  /** How long it takes at least until the last has left. */
  lasts_s: number
}

export interface Command {
  id: string
  state: string
  action: string
  params: Record<string, Value>
  reason: string
  actor: { id: string; name: string | null }
  created: string
  expires: string
  hazard: Hazard
  counts: Record<string, number>
  targets: number
  /** How long it takes at least until the last of those that wait has left. */
  lasts_s: number
  /** Whether this person may confirm it or take it back. */
  may_move: boolean
  /** Of two answers of one run of the post, that with the higher number is the later one; null of what is only kept. */
  changed: number | null
}

export interface Target {
  asset: AssetRow
  state: string
  sent: string | null
  ended: string | null
  refusal: Refusal | null
}

export interface JournalEntry {
  n: number
  id: string
  at: string
  type: string
  actor: { id: string; name: string | null } | null
  summary: Record<string, unknown>
  assets: string[]
  erased: { field: string; on: string; rule: string }[]
}

export interface JournalHead {
  size: number
  root: string
  at: string
  at_us: number
  signature: string
  key: string
}

export interface JournalProof {
  leaf: string
  index: number
  size: number
  root: string
  path: string[]
}

export interface Page<Item> {
  items: Item[]
  next: string | null
  total?: number
}
